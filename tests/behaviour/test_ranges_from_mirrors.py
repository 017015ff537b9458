"""A large layer read in ranges from three mirrors on slow lines, judged by the requests that reached them."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from syncer.attempts import Attempts, Policy
from syncer.clock import SystemClock
from syncer.errors import CorruptContent
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName
from syncer.oci.origin import Origin
from syncer.registry.client import Clients
from syncer.registry.mirroring import MirroredRegistry
from syncer.registry.surroundings import Deadlines, Surroundings
from syncer.sandbox import actions
from syncer.sandbox.blobs import Bytes
from syncer.sandbox.faults import Fault
from syncer.sandbox.images import OCI, Layer, single
from syncer.sandbox.world import World
from syncer.settings.registries import Endpoint, MirrorSettings, RegistrySettings
from syncer.transfer.ranges import Means
from syncer.transfer.reading import Reading
from syncer.transfer.shelf import Windows
from syncer.transfer.spreading import Spreading

if TYPE_CHECKING:
    from syncer.sandbox.faults import Action

KIB = 1024
DATA = random.Random(16).randbytes(4096 * KIB)
LAYER = Descriptor("application/octet-stream", Digest.of(DATA), len(DATA))
HUB = "registry-1.docker.io"
NAMES = ("a.example", "b.example", "c.example")
HOW = Spreading(
    smallest=1, slow=1e9, worth=0.1, watch=0.1, span=0.1, least=64 * KIB, largest=256 * KIB, most=8, patience=0.1
)
PACE = (16 * KIB, 0.01)  # what an honest line brings: some 1.5 MB/s


def also(inner: Action, outer: Action) -> Action:
    """Both of them: `outer` is done to what `inner` makes of the answer."""

    async def act(request, proceed):
        return await outer(request, lambda asked: inner(asked, proceed))

    return act


class Scene:
    """Docker Hub with one large layer, three mirrors of it, and who reads it."""

    def __init__(self, world: World, mirrors, clients: Clients, source) -> None:
        self.log = world.log
        self._mirrors = mirrors
        self._clients = clients
        self._source = source

    def line(self, name: str, how: Action | None = None, **when) -> Fault:
        """The slow line of a mirror, and what it does to the layer; `when` leaves other requests alone."""
        slow = actions.trickle(*PACE)
        return self._mirrors[name].server.faults.add(Fault(also(slow, how) if how else slow, path="/blobs/", **when))

    def asked(self, name: str) -> list[str | None]:
        """The Range of each request for the layer that reached a mirror."""
        return [entry.headers.get("Range") for entry in self.log.find(name, "GET", "/blobs/")]

    @property
    def sent(self) -> int:
        """Bytes of the layer that left any of the servers."""
        return sum(entry.sent for entry in self.log.find(method="GET", path="/blobs/"))

    async def read(self) -> bytes:
        async with asyncio.TaskGroup() as tasks:
            means = Means(Windows(2048 * KIB), tasks, SystemClock(), HOW)
            reading = Reading(self._source, LAYER, Attempts(Policy(), SystemClock()), means=means)
            return b"".join([chunk async for chunk in reading.chunks(lambda _count, _host: None)])


@asynccontextmanager
async def scene():
    async with World(SystemClock()) as world:
        world.hub.put("nginx", "1", single("linux/amd64", [Layer(Bytes(DATA), str(LAYER.digest), OCI.layer)]))
        mirrors = {name: await world.add_mirror(f"https://{name}") for name in NAMES}
        dial = {Origin.parse(played): Origin.parse(real) for played, real in world.dial.items()}
        clients = Clients(SystemClock(), Surroundings(dial, deadlines=Deadlines(lookup=0.2, head=1.0, stall=30.0)))
        ends = tuple(MirrorSettings(Endpoint(Origin.parse(name)), operator=name) for name in NAMES)
        registry = MirroredRegistry(
            RegistrySettings("docker.io", Endpoint(Origin.parse(HUB)), ends), clients.client, clients.hosts
        )
        try:
            yield Scene(world, mirrors, clients, registry.source(RepositoryName("library/nginx")))
        finally:
            await clients.aclose()


async def test_three_mirrors_send_ranges_side_by_side_and_each_byte_once():
    async with scene() as at:
        for name in NAMES:
            at.line(name)

        assert Digest.of(await at.read()) == LAYER.digest

        assert all(any(asked) for asked in map(at.asked, NAMES))
        assert len(DATA) <= at.sent <= 1.1 * len(DATA)
        assert at.log.count("hub", "GET", "/blobs/") == 0


async def test_one_that_ignores_range_a_slow_one_and_one_that_dies_cost_little_more():
    async with scene() as at:
        at.line("a.example")
        at.line("b.example", actions.ignore_range())
        dies = at.line("c.example", actions.cut(40 * KIB))

        assert Digest.of(await at.read()) == LAYER.digest

        assert dies.fired
        assert len(at.asked("b.example")) <= 2
        assert at.sent <= 1.25 * len(DATA)


async def test_the_rest_of_a_slow_range_is_stolen_by_a_faster_mirror():
    async with scene() as at:
        at.line("a.example")
        at.line("b.example")
        stuck = at.line("c.example", actions.stall(16 * KIB))

        assert Digest.of(await asyncio.wait_for(at.read(), 10)) == LAYER.digest

        begun = {int(asked[6:].partition("-")[0]) for asked in at.asked("c.example") if asked}
        again = {int(asked[6:].partition("-")[0]) for name in NAMES[:2] for asked in at.asked(name) if asked}
        assert stuck.fired == len(begun) > 0
        assert all(any(start < stolen <= start + 256 * KIB for stolen in again) for start in begun)
        assert at.sent <= 1.25 * len(DATA)


async def test_wrong_bytes_in_one_range_of_one_mirror_are_found_out():
    async with scene() as at:
        at.line("a.example")
        at.line("b.example")
        lies = at.line("c.example", actions.flip(7), times=1, when=lambda request: "Range" in request.headers)
        at.line("c.example")

        with pytest.raises(ExceptionGroup) as raised:
            await at.read()

        assert raised.group_contains(CorruptContent, match=r"c\.example")
        assert lies.fired == 1
