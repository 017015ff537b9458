"""Mirrors are believed about bytes only, and only because they are hashed: whatever they do, the right bytes arrive."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from syncer.clock import SystemClock
from syncer.content.verify import verified
from syncer.errors import CorruptContent, NetworkError, NoHonestSource, NotFound
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.manifest import Index
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import Origin
from syncer.registry.client import Clients
from syncer.registry.mirroring import MirroredRegistry
from syncer.registry.surroundings import Deadlines, Surroundings
from syncer.sandbox import actions
from syncer.sandbox.faults import Fault
from syncer.sandbox.images import image
from syncer.sandbox.mirrors import MISBEHAVIOURS
from syncer.sandbox.world import World
from syncer.settings.registries import Endpoint, MirrorSettings, RegistrySettings

IMAGE = image("nginx", "1.27", ("linux/amd64", "linux/arm64"))
ROOT = Descriptor(IMAGE.media_type, Digest.parse(IMAGE.digest), len(IMAGE.raw))
HUB = "registry-1.docker.io"
SERVERS = {HUB: "hub"}  # as the log calls it
HASTY = Deadlines(lookup=0.2, connect=1.0, head=0.5, stall=0.4, window=0.4)


class Scene:
    """Docker Hub and mirrors on loopback, and the repository that reads from them."""

    def __init__(self, world, mirrors, clients, source):
        self.world = world
        self.mirrors = mirrors
        self.hosts = clients.hosts
        self.source = source

    def asked(self, host: str, part: str = "", method: str = "GET") -> int:
        """How many requests for `part` reached a host."""
        at_host = [entry for entry in self.world.log.entries if entry.server == SERVERS.get(host, host)]
        return sum(entry.method == method and part in entry.path for entry in at_host)

    def blamed(self) -> set[str]:
        return {line.host for line in self.hosts.lines() if line.blamed}

    async def fetch(self, d: Descriptor) -> bytes:
        """A blob as transfer fetches it: an attempt may fail, and who sent wrong bytes is blamed."""
        for _ in range(6):
            try:
                async with self.source.blob(d) as stream:
                    return b"".join([chunk async for chunk in verified(stream.chunks, d, stream.host)])
            except CorruptContent as error:
                self.source.blame(error.host, error)
            except NetworkError as error:
                if not error.transient:
                    raise
        raise AssertionError("six attempts were not enough")

    async def pull(self) -> list[bytes]:
        """All manifests and blobs of the image, children first."""
        index = await self.source.manifest(ROOT)
        assert isinstance(index, Index)
        children = [await self.source.manifest(d) for d in index.children]
        blobs = {d.digest: d for child in children for d in child.blobs}
        return [index.raw, *(child.raw for child in children), *[await self.fetch(d) for d in blobs.values()]]


def right(pulled: list[bytes]) -> bool:
    digests = [str(Digest.of(data)) for data in pulled]
    blobs = {blob.digest for child in IMAGE.children for blob in child.blobs}
    return digests[:3] == [IMAGE.digest, *(child.digest for child in IMAGE.children)] and set(digests[3:]) == blobs


@asynccontextmanager
async def scene(*names: str):
    async with World(SystemClock()) as world:
        world.hub.put("nginx", "1.27", IMAGE)
        mirrors = {name: await world.add_mirror(f"https://{name}") for name in names}
        dial = {Origin.parse(played): Origin.parse(real) for played, real in world.dial.items()}
        clients = Clients(SystemClock(), Surroundings(dial, deadlines=HASTY))
        settings = RegistrySettings(
            "docker.io",
            Endpoint(Origin.parse(HUB)),
            tuple(MirrorSettings(Endpoint(Origin.parse(name)), operator=name) for name in names),
        )
        source = MirroredRegistry(settings, clients.client, clients.hosts).source(RepositoryName("library/nginx"))
        try:
            yield Scene(world, mirrors, clients, source)
        finally:
            await clients.aclose()


async def test_bytes_come_from_the_mirror_and_the_tag_from_the_origin():
    async with scene("good.example") as at:
        assert (await at.source.resolve(Tag("1.27"))).descriptor.digest == ROOT.digest

        assert right(await at.pull())

        assert at.asked(HUB, "/blobs/") == 0
        assert at.asked(HUB, "/manifests/") == 0
        assert at.asked(HUB, "/manifests/", "HEAD") == 2  # the first learns where tokens are


@pytest.mark.parametrize("how", sorted(set(MISBEHAVIOURS) - {"trickle"}))
async def test_whatever_the_first_mirror_does_the_right_bytes_arrive(how):
    async with scene("bad.example", "good.example") as at:
        fault = at.mirrors["bad.example"].misbehave(how)

        assert right(await at.pull())

        assert fault.fired
        assert at.blamed() <= {"bad.example"}


@pytest.mark.parametrize("how", ["wrong bytes", "other blob", "reserialised"])
async def test_a_mirror_that_lies_is_named_and_asked_no_more(how):
    async with scene("bad.example", "good.example") as at:
        fault = at.mirrors["bad.example"].misbehave(how)

        await at.pull()

        assert at.blamed() == {"bad.example"}
        assert fault.fired == 1


async def test_a_stale_a_lying_a_cut_off_and_a_dead_mirror_before_an_honest_one():
    names = ("stale.example", "lying.example", "cut.example", "dead.example", "honest.example")
    async with scene(*names) as at:
        at.mirrors["stale.example"].mirror.lie("library/nginx", "1.27", IMAGE.children[0].digest)
        at.mirrors["lying.example"].misbehave("wrong bytes")
        at.mirrors["cut.example"].misbehave("cut off")
        await at.mirrors["dead.example"].server.refuse()

        assert (await at.source.resolve(Tag("1.27"))).descriptor.digest == ROOT.digest
        assert right(await at.pull())


async def test_a_mirror_that_lacks_something_is_not_blamed_for_it():
    async with scene("partial.example") as at:
        at.mirrors["partial.example"].mirror.missing.update(child.digest for child in IMAGE.children)

        assert right(await at.pull())

        assert at.blamed() == set()
        assert at.asked("partial.example", "/blobs/") > 0


async def test_where_all_send_wrong_bytes_there_is_no_honest_source_and_all_are_named():
    async with scene("a.example", "b.example") as at:
        (blob, *_) = IMAGE.children[0].blobs
        d = Descriptor("application/octet-stream", Digest.parse(blob.digest), blob.size)
        for name in at.mirrors:
            at.mirrors[name].misbehave("other blob")
        at.world.hub.server.faults.add(Fault(actions.reply(404), path="/blobs/"))

        with pytest.raises(NoHonestSource) as raised:
            await at.fetch(d)

        assert all(name in str(raised.value) for name in ("a.example", "b.example", HUB))


async def test_the_origin_gets_a_second_chance_and_no_third():
    """One flipped bit on the way must not cost an image that only one host has."""
    async with scene() as at:
        (blob, *_) = IMAGE.children[0].blobs
        d = Descriptor("application/octet-stream", Digest.parse(blob.digest), blob.size)
        fault = at.world.hub.cdn_server.faults.add(Fault(actions.flip(7), times=1))

        assert Digest.of(await at.fetch(d)) == d.digest

        fault.times = None
        with pytest.raises(NoHonestSource):
            await at.fetch(d)
        assert at.blamed() == {HUB}


async def test_what_nobody_has_is_not_found():
    async with scene("a.example", "b.example") as at:
        d = Descriptor("application/octet-stream", Digest.of(b"nowhere"), 7)

        with pytest.raises(NotFound) as raised:
            await at.fetch(d)

        assert raised.value.host == HUB


async def test_a_portal_is_left_alone_after_three_pages_and_reported_once():
    async with scene("portal.example", "good.example") as at:
        fault = at.mirrors["portal.example"].misbehave("html")

        await at.pull()

        assert fault.fired == 3
        assert at.blamed() == {"portal.example"}


async def test_a_mirror_that_forbids_a_repository_is_not_asked_for_it_again():
    async with scene("forbidding.example", "good.example") as at:
        fault = at.mirrors["forbidding.example"].misbehave("forbidden")

        await at.pull()

        assert fault.fired == 1
        assert at.blamed() == set()


async def test_a_mirror_that_ignores_a_range_says_so():
    async with scene("good.example") as at:
        at.mirrors["good.example"].misbehave("ignores range")
        (blob, *_) = IMAGE.children[0].blobs
        d = Descriptor("application/octet-stream", Digest.parse(blob.digest), blob.size)

        async with at.source.blob(d, 10) as stream:
            data = b"".join([chunk async for chunk in stream.chunks])

        assert (stream.start, len(data)) == (0, d.size)


async def test_reads_that_are_under_way_together_spread_over_the_mirrors():
    async with scene("a.example", "b.example") as at:
        await at.pull()
        blobs = [blob for child in IMAGE.children for blob in child.blobs]
        ds = [Descriptor("application/octet-stream", Digest.parse(blob.digest), blob.size) for blob in blobs]
        before = {name: at.asked(name, "/blobs/") for name in at.mirrors}

        await asyncio.gather(*(at.fetch(d) for d in 2 * ds))

        assert all(at.asked(name, "/blobs/") > before[name] for name in at.mirrors)
        assert at.asked(HUB, "/blobs/") == 0


async def test_those_to_be_avoided_are_passed_over():
    async with scene("a.example", "b.example") as at:
        (blob, *_) = IMAGE.children[0].blobs
        d = Descriptor("application/octet-stream", Digest.parse(blob.digest), blob.size)

        for avoid, host in ((set(), "a.example"), ({"a.example"}, "b.example"), ({"a.example", "b.example"}, HUB)):
            async with at.source.blob(d, avoid=frozenset(avoid)) as stream:
                assert stream.host == host


async def test_a_mirror_that_failed_often_is_asked_last():
    async with scene("flaky.example", "good.example") as at:
        breaker = at.hosts.of("flaky.example").breaker
        for _ in range(breaker.FAILURES):
            breaker.failed()

        assert right(await at.pull())

        assert at.asked("flaky.example") == 0


async def test_fifty_tags_of_a_silent_hub_cost_one_request():
    """Law 5, over HTTP: the gate, the token service and the mirrors included."""
    async with scene("a.example", "b.example") as at:
        at.world.hub.server.faults.add(Fault(actions.hang()))

        found = await asyncio.gather(*(at.source.resolve(Tag("1.27")) for _ in range(50)))

        assert {(each.descriptor.digest, each.by) for each in found} == {(ROOT.digest, "agreement")}
        assert len(at.world.log.find("hub")) == 1


async def test_fifty_tags_cost_one_request_to_a_token_service_that_is_silent():
    async with scene("a.example", "b.example") as at:
        at.world.hub.auth_server.faults.add(Fault(actions.hang()))

        found = await asyncio.gather(*(at.source.resolve(Tag("1.27")) for _ in range(50)))

        assert {each.by for each in found} == {"agreement"}
        assert len(at.world.log.find("hub-auth")) == 1
