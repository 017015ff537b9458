"""A client against a Docker Hub that behaves as the real one: tokens elsewhere, a CDN, a budget."""

from contextlib import asynccontextmanager

import pytest

from syncer.clock import SteppedClock
from syncer.errors import PullBudgetSpent, Unauthorized
from syncer.oci.names import Origin
from syncer.registry.client import Clients
from syncer.registry.failures import failure_of
from syncer.registry.http import Request
from syncer.registry.surroundings import Surroundings
from syncer.sandbox.images import image
from syncer.sandbox.world import World
from syncer.settings.registries import DOCKER_HUB, default_registry

HUB = default_registry(DOCKER_HUB).endpoint
NGINX = image("nginx", "1.27")


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
async def hub(clock):
    """A played Docker Hub, its client, and what the client did."""
    async with World(clock) as world:
        world.hub.put("nginx", "1.27", NGINX)
        dial = {Origin.parse(real): Origin.parse(address) for real, address in world.dial.items()}
        made = Clients(clock, Surroundings(dial=dial))
        yield Puller(world, made)
        await made.aclose()


class Puller:
    def __init__(self, world, clients):
        self.world = world
        self.clients = clients
        self.client = clients.client(HUB)

    @asynccontextmanager
    async def ask(self, method, path, name="library/nginx"):
        headers = {"Accept": "application/vnd.oci.image.index.v1+json"}
        request = Request(method, HUB.origin, f"/v2/{name}/{path}", headers, scope=f"repository:{name}:pull")
        async with self.client.send(request) as response:
            yield response


async def test_a_manifest_and_a_blob_come_from_three_hosts(hub):
    blob = NGINX.children[0].blobs[0]
    async with hub.ask("GET", "manifests/1.27") as response:
        assert response.status == 200
        await response.read(100_000)
    async with hub.ask("GET", f"blobs/{blob.digest}") as response:
        assert await response.read(10_000_000) == blob.data

    requests = {line.host: line.requests for line in hub.clients.hosts.lines()}
    assert requests.pop("registry-1.docker.io") == 3
    assert requests.pop("auth.docker.io") == 1
    assert list(requests.values()) == [1]


async def test_a_token_is_renewed_before_it_expires(hub, clock):
    for _ in range(5):
        async with hub.ask("HEAD", "manifests/1.27") as response:
            assert response.status == 200
        clock.advance(239)

    assert hub.world.log.count(method="HEAD") == 6
    assert hub.clients.hosts.of("auth.docker.io").requests == 3


async def test_a_repository_that_is_not_there_is_said_to_be_missing_or_private(hub):
    async with hub.ask("GET", "manifests/latest", name="library/nothing") as response:
        error = await failure_of(response, "nothing:latest")

    assert isinstance(error, Unauthorized)
    assert "does not exist there, or is private" in error.message
    assert hub.clients.hosts.of(HUB.origin.netloc).requests == 2


async def test_the_pull_budget_is_known_and_nothing_is_asked_for_beyond_it(hub, clock):
    hub.world.hub.budget.limit = 2
    for _ in range(2):
        async with hub.ask("GET", "manifests/1.27") as response:
            assert response.status == 200
    record = hub.clients.hosts.of(HUB.origin.netloc)
    assert (record.pulls_left, record.pulls_limit, record.pulls) == ((0, 21600), 2, 2)
    asked = hub.world.log.count(method="GET")

    with pytest.raises(PullBudgetSpent, match="no pull left of 2"):
        async with hub.ask("GET", "manifests/1.27"):
            pass

    assert hub.world.log.count(method="GET") == asked
    async with hub.ask("HEAD", "manifests/1.27") as response:
        assert response.status == 200
    assert clock.slept == []


async def test_the_end_of_a_budget_that_others_spend_too_is_not_waited_for(hub, clock):
    hub.world.hub.budget.limit = 2
    async with hub.ask("GET", "manifests/1.27") as response:
        assert response.status == 200
    hub.world.hub.budget.limit = 1  # as if somebody else behind our address had pulled

    async with hub.ask("GET", "manifests/1.27") as response:
        error = await failure_of(response, "nginx:1.27")
    assert isinstance(error, PullBudgetSpent)
    assert clock.slept == []
