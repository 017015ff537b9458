"""Who reads what once: targets share a read, leave it, come late, come again; memory stays within its window."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from builders import World, blob

from syncer.content.places import Stream
from syncer.errors import CorruptContent, NotFound, TimedOut
from syncer.oci.reference import Reference
from syncer.report.events import BlobFinished, BlobMoved, BlobStarted, unseen
from syncer.transfer.feed import Feed
from syncer.transfer.tuning import Tuning

if TYPE_CHECKING:
    from syncer.oci.descriptor import Descriptor

SOURCE = Reference.parse("app:1")
SMALL, LARGE = blob("small", 1000), blob("large", 1_000_000)
PATIENT = Tuning(window=100_000, windows=400_000, shelved=10_000, shelf=20_000, gather=5, stall=0.1)


@pytest.fixture
def world() -> World:
    return World()


@asynccontextmanager
async def feeding(world: World, tuning: Tuning = PATIENT, observe=unseen):
    async with asyncio.TaskGroup() as readers:
        yield Feed(world.attempts, observe, tuning, readers)


def content(world: World, feed: Feed, data: bytes, registry: str = "east"):
    d = world.at_source("app").hold_blob(data)
    return feed.content(d, (world.at_source("app"), SOURCE), registry)


async def take(fed) -> bytes:
    async with fed.open() as chunks:
        return b"".join([chunk async for chunk in chunks])


def reads(world: World) -> int:
    return len(world.at_source("app").called("blob"))


def expect(feed: Feed, data: Descriptor | bytes, *registries: str) -> None:
    for registry in registries:
        feed.expect([data.d.digest], registry)


async def test_targets_that_are_expected_share_one_read(world: World):
    async with feeding(world) as feed:
        east, west = content(world, feed, LARGE), content(world, feed, LARGE, "west")
        expect(feed, east, "east", "west")

        assert await asyncio.gather(take(east), take(west)) == [LARGE, LARGE]

    assert reads(world) == 1
    assert east.hosts == west.hosts == {"docker.io"}


async def test_a_read_waits_for_who_is_expected_until_nobody_is(world: World):
    async with feeding(world) as feed:
        east = content(world, feed, LARGE)
        expect(feed, east, "east", "west")
        taking = asyncio.create_task(take(east))
        await asyncio.sleep(0.01)
        assert reads(world) == 0

        feed.settled(east.d.digest, "west", landed=True)

        assert await taking == LARGE


async def test_who_does_not_come_is_not_waited_for_again(world: World):
    async with feeding(world, Tuning(gather=0.05)) as feed:
        for data in (LARGE, SMALL):
            east = content(world, feed, data)
            expect(feed, east, "east", "west")
            assert await asyncio.wait_for(take(east), 1) == data
        assert feed._late == {"west"}


async def test_a_small_blob_is_kept_for_who_comes_later_and_a_large_one_read_again(world: World):
    async with feeding(world) as feed:
        for data in (SMALL, SMALL, LARGE, LARGE):
            assert await take(content(world, feed, data)) == data

        assert reads(world) == 3
        assert feed.read_again == len(LARGE)


async def test_a_target_that_leaves_does_not_end_the_read_of_another(world: World):
    async with feeding(world) as feed:
        east, west = content(world, feed, LARGE), content(world, feed, LARGE, "west")
        expect(feed, east, "east", "west")

        async def leave() -> None:
            async with west.open() as chunks:
                await anext(chunks)

        assert (await asyncio.gather(take(east), leave()))[0] == LARGE

    assert reads(world) == 1


async def test_a_read_that_everybody_left_is_ended(world: World):
    source, closed = world.at_source("app"), asyncio.Event()
    d = source.hold_blob(LARGE)
    opened = source.blob

    @asynccontextmanager
    async def watched(*arguments, **options):
        async def hanging():
            yield LARGE[:70_000]
            yield LARGE[70_000:140_000]
            await asyncio.Event().wait()

        try:
            async with opened(*arguments, **options) as stream:
                yield Stream(hanging(), stream.host)
        finally:
            closed.set()

    source.blob = watched
    async with feeding(world) as feed:
        async with feed.content(d, (source, SOURCE), "east").open() as chunks:
            await anext(chunks)
        await asyncio.wait_for(closed.wait(), 1)


async def test_a_reader_is_never_more_than_a_window_ahead_of_its_slowest_target(world: World):
    moved = []
    async with feeding(world, observe=moved.append) as feed:
        east = content(world, feed, LARGE)
        async with east.open() as chunks:
            await anext(chunks)
            await asyncio.sleep(0.3)  # longer than `stall`: alone, it is waited for
            ahead = sum(event.count for event in moved if isinstance(event, BlobMoved))
            rest = [chunk async for chunk in chunks]

    assert ahead <= PATIENT.window + 3 * 64 * 1024  # one taken, one that filled the window, one held back
    assert sum(map(len, rest)) < len(LARGE)


async def test_a_target_that_stands_still_is_let_go_and_can_come_again(world: World):
    async with feeding(world) as feed:
        east, west = content(world, feed, LARGE), content(world, feed, LARGE, "west")
        expect(feed, east, "east", "west")
        async with west.open() as chunks:
            assert await take(east) == LARGE
            with pytest.raises(TimedOut):
                [chunk async for chunk in chunks]
        feed.settled(east.d.digest, "east", landed=True)
        assert not west.given_up
        assert await take(west) == LARGE


async def test_a_registry_that_takes_bytes_of_another_read_is_slow_and_does_not_stand_still(world: World):
    """Many uploads share a narrow line: each of them may have to wait longer than `stall` for its next bytes."""
    async with feeding(world) as feed, asyncio.TaskGroup() as others:
        east, west = content(world, feed, LARGE), content(world, feed, LARGE, "west")
        elsewhere = content(world, feed, LARGE + b"!", "west")
        expect(feed, east, "east", "west")
        async with west.open() as chunks, elsewhere.open() as trickle:
            taking = others.create_task(take(east))
            for _ in range(8):
                await asyncio.sleep(PATIENT.stall / 2)
                await anext(trickle)
            assert not taking.done()
            assert b"".join([chunk async for chunk in chunks]) == LARGE
    assert not west.let_go
    assert feed.read_again == 0


async def test_who_stands_still_is_let_go_beside_one_that_is_slow(world: World):
    async with feeding(world) as feed, asyncio.TaskGroup() as others:
        east, west, dead = (content(world, feed, LARGE, name) for name in ("east", "west", "dead"))
        expect(feed, east, "east", "west", "dead")
        async with west.open() as chunks, dead.open():
            taking = others.create_task(take(east))
            async for _ in chunks:
                await asyncio.sleep(PATIENT.stall / 4)
            assert await taking == LARGE
    assert (west.let_go, dead.let_go) == (False, True)


async def test_what_the_source_gave_up_is_told_to_every_target(world: World):
    async with feeding(world) as feed:
        east, west = content(world, feed, LARGE), content(world, feed, LARGE, "west")
        expect(feed, east, "east", "west")
        world.at_source("app").fail("blob", NotFound("gone"))

        found = await asyncio.gather(take(east), take(west), return_exceptions=True)

    assert [type(error) for error in found] == [NotFound, NotFound]
    assert east.given_up
    assert west.given_up


async def test_who_watches_sees_a_blob_begin_move_and_end(world: World):
    seen = []
    async with feeding(world, observe=seen.append) as feed:
        fed = content(world, feed, LARGE)
        await take(fed)

    assert seen[0] == BlobStarted(SOURCE, fed.d.digest, len(LARGE))
    assert sum(event.count for event in seen[1:-1]) == len(LARGE)
    assert seen[-1] == BlobFinished(fed.d.digest)


async def test_all_reads_together_keep_to_their_memory(world: World):
    """Ten reads that nobody empties, windows for four: the others have not opened their source."""
    held = [world.at_source("app").hold_blob(LARGE + bytes([n])) for n in range(10)]
    async with feeding(world) as feed, asyncio.TaskGroup() as group:
        go = asyncio.Event()

        async def slowly(d: Descriptor) -> None:
            async with feed.content(d, (world.at_source("app"), SOURCE), "east").open() as chunks:
                await go.wait()
                assert sum([len(chunk) async for chunk in chunks]) == d.size

        for d in held:
            group.create_task(slowly(d))
        await asyncio.sleep(0.1)
        assert reads(world) == 4
        go.set()
    assert reads(world) == 10


async def test_a_host_whose_bytes_were_wrong_is_not_among_those_who_sent_them(world: World):
    async with feeding(world) as feed:
        fed = content(world, feed, LARGE)
        world.at_source("app").corrupt(fed.d.digest, times=1)
        with pytest.raises(CorruptContent):
            await take(fed)
        assert fed.hosts == set()
        await take(fed)
        assert fed.hosts == {"docker.io"}
