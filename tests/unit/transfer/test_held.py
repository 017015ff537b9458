"""Beginnings in memory: who delivers a blob again takes them, and whoever needs the memory gets it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from builders import World, blob

from syncer.errors import CorruptContent
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.reference import Reference
from syncer.report.events import unseen
from syncer.transfer.feed import Feed
from syncer.transfer.held import Held
from syncer.transfer.shelf import Windows
from syncer.transfer.tuning import Tuning

LARGE = blob("large", 1_000_000)
TUNING = Tuning(window=100_000, windows=1_500_000, shelved=10_000, shelf=20_000, gather=5, stall=0.1)
D = Descriptor("a/b", Digest.of(LARGE), len(LARGE))


@pytest.fixture
def world() -> World:
    return World()


@asynccontextmanager
async def delivering(world: World, tuning: Tuning = TUNING):
    """A large blob for a target that may need it again, and the feed that gives it."""
    source = world.at_source("app")
    async with asyncio.TaskGroup() as readers:
        feed = Feed(world.attempts, unseen, tuning, readers)
        d = source.hold_blob(LARGE)
        feed.expect([d.digest], "east")
        yield feed, feed.content(d, (source, Reference.parse("app:1")), "east")


async def take(fed) -> bytes:
    async with fed.open() as chunks:
        return b"".join([chunk async for chunk in chunks])


async def take_some(fed) -> None:
    async with fed.open() as chunks:
        await anext(chunks)


def reads(world: World) -> int:
    return len(world.at_source("app").called("blob"))


@pytest.mark.parametrize("first", [take, take_some])
async def test_a_blob_that_is_delivered_again_and_again_is_read_once(world: World, first):
    async with delivering(world) as (_, fed):
        for _ in range(3):
            await first(fed)
        assert await take(fed) == LARGE
    assert reads(world) == 1
    assert fed.hosts == {"docker.io"}


async def test_who_comes_after_the_read_has_ended_takes_all_of_it(world: World):
    async with delivering(world) as (_, fed):
        await take_some(fed)
        await asyncio.sleep(0.05)
        assert await take(fed) == LARGE
    assert reads(world) == 1


async def test_what_is_settled_is_held_no_longer(world: World):
    async with delivering(world) as (feed, fed):
        await take(fed)
        assert feed._held.room < Held(Windows(0)).room
        feed.settled(D.digest, "east", landed=True)
        assert feed._held.room == Held(Windows(0)).room


async def test_what_does_not_fit_is_read_no_further_and_goes_on_by_range(world: World):
    async with delivering(world, Tuning(window=100_000, windows=500_000, shelved=10_000, gather=5)) as (feed, fed):
        await take_some(fed)
        assert await take(fed) == LARGE
    assert reads(world) == 2
    assert feed.read_again < 100_000


def test_who_needs_the_memory_gets_it():
    windows = Windows(100)
    held = Held(windows)
    with held.growing(D) as beginning:
        beginning.put(b"x" * 80)
        assert held.beginning(D.digest)
        assert windows.take_spare(60)
        assert held.beginning(D.digest) is None
        beginning.put(b"x" * 10)
    assert held.beginning(D.digest) is None


def test_a_reader_that_reads_for_nobody_else_hears_that_it_is_in_vain():
    windows, told = Windows(100), []
    held = Held(windows)
    with held.growing(D) as beginning:
        beginning.stopped = lambda: told.append(True)
        held.drop(D.digest)
    assert told == [True]


async def test_a_read_that_begins_again_holds_nothing_twice():
    held = Held(Windows(100))
    for chunks in (["abc", "de"], ["ab", "cdefg"], ["abcdefghi"]):
        with held.growing(D) as beginning:
            for chunk in chunks:
                beginning.put(chunk.encode())
    taken = held.beginning(D.digest)
    assert taken is not None
    assert b"".join([chunk async for chunk in taken]) == b"abcdefghi"


async def test_wrong_bytes_are_not_taken_again(world: World):
    async with delivering(world) as (_, fed):
        world.at_source("app").corrupt(D.digest, times=1)
        with pytest.raises(CorruptContent):
            await take(fed)
        assert await take(fed) == LARGE
    assert reads(world) == 2
