"""What was kept is not read twice: after a break, for who comes late, in the next run. And it is not believed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from builders import World, blob
from small_disk import files_of_at_most

from syncer.clock import SystemClock
from syncer.errors import CorruptContent, SyncerError
from syncer.oci.reference import Reference
from syncer.report.events import BlobMoved
from syncer.state.spool import MIB, opened
from syncer.transfer.feed import Feed
from syncer.transfer.spooling import Spooling
from syncer.transfer.tuning import Tuning

SOURCE = Reference.parse("app:1")
LARGE = blob("large and not the same everywhere ", 4 * MIB + 321)
ALL = Tuning(window=2 * MIB, shelved=10_000, gather=5, stall=0.2, slow=0)  # everything is slow enough to be kept
IN_HAND = 2 * 64 * 1024  # bytes that are lost with a read: one chunk on its way, one that the check holds back


class Sent:
    """Bytes that sources sent."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, event) -> None:
        self.count += event.count if isinstance(event, BlobMoved) else 0


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def spool(tmp_path):
    with opened(tmp_path / "spool", SystemClock(), 64 * MIB) as found:
        yield found.spool


@pytest.fixture
def sent() -> Sent:
    return Sent()


@asynccontextmanager
async def feeding(world, spool, sent, tuning=ALL):
    async with asyncio.TaskGroup() as readers:
        yield Feed(world.attempts, sent, tuning, readers, Spooling(spool, world.clock, tuning))


def content(world, feed, registry="east"):
    source = world.at_source("app")
    return feed.content(source.hold_blob(LARGE), (source, SOURCE), registry)


async def take(fed, at_most: int = 1 << 30) -> bytes:
    """What a target takes before its connection breaks."""
    data = b""
    async with fed.open() as chunks:
        async for chunk in chunks:
            data += chunk
            if len(data) >= at_most:
                break
    return data


async def test_an_upload_that_breaks_is_begun_again_from_what_was_read(world, spool, sent):
    async with feeding(world, spool, sent) as feed:
        fed = content(world, feed)
        for share in (3, 2):
            await take(fed, len(LARGE) // share)
            await asyncio.sleep(0)
        assert await take(fed) == LARGE
    assert sent.count - len(LARGE) <= 2 * IN_HAND
    assert feed.read_again == 0


async def test_without_a_spool_it_is_read_again_and_counted(world, sent):
    async with feeding(world, None, sent) as feed:
        fed = content(world, feed)
        for _ in range(2):
            assert await take(fed) == LARGE
    assert sent.count == 2 * len(LARGE)
    assert feed.read_again == len(LARGE)


async def test_the_next_run_asks_for_the_rest_only(world, spool, sent):
    for at_most in (len(LARGE) // 2, len(LARGE)):
        async with feeding(world, spool, sent) as feed:
            data = await take(content(world, feed), at_most)
    assert data == LARGE
    assert sent.count - len(LARGE) <= IN_HAND


async def test_what_is_there_whole_needs_no_source(world, spool, sent):
    for _ in range(2):
        async with feeding(world, spool, sent) as feed:
            assert await take(content(world, feed)) == LARGE
    assert len(world.at_source("app").called("blob")) == 1


async def test_who_comes_late_follows_what_is_being_kept(world, spool, sent):
    late = Tuning(window=2 * MIB, shelved=10_000, gather=0.01, stall=5, slow=1000)
    async with feeding(world, spool, sent, late) as feed:
        east, west = content(world, feed), content(world, feed, "west")
        for registry in ("east", "west"):
            feed.expect([east.d.digest], registry)
        async with east.open() as chunks:
            await anext(chunks)
            following = asyncio.create_task(take(west))
            await asyncio.sleep(0.1)
            assert not following.done()
            async for _ in chunks:
                pass
        assert await following == LARGE
    assert sent.count == len(LARGE)


async def test_who_follows_one_that_stands_still_goes_to_the_source(world, spool, sent):
    async with feeding(world, spool, sent) as feed, content(world, feed).open() as chunks:
        await anext(chunks)
        assert await asyncio.wait_for(take(content(world, feed, "west")), 5) == LARGE
    assert sent.count < 2 * len(LARGE)


@pytest.mark.parametrize("at", [0, MIB, -1])
async def test_a_wrong_byte_on_disk_is_found_and_thrown_away(world, spool, sent, tmp_path, at):
    async with feeding(world, spool, sent) as feed:
        await take(content(world, feed), 3 * MIB)
    (path,) = (tmp_path / "spool").iterdir()
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    async with feeding(world, spool, sent) as feed:
        fed = content(world, feed)
        with pytest.raises(CorruptContent, match="kept on disk"):
            await take(fed)
        assert not fed.given_up
        assert not path.exists()
        assert await take(fed) == LARGE
    assert world.at_source("app").blamed == []


async def test_wrong_bytes_of_a_source_are_not_kept(world, spool, sent, tmp_path):
    async with feeding(world, spool, sent) as feed:
        fed = content(world, feed)
        world.at_source("app").corrupt(fed.d.digest, times=1)
        with pytest.raises(CorruptContent):
            await take(fed)
        assert list((tmp_path / "spool").iterdir()) == []
        assert await take(fed) == LARGE


async def test_a_file_that_is_longer_than_its_blob_does_no_harm(world, spool, sent, tmp_path):
    for _ in range(2):
        async with feeding(world, spool, sent) as feed:
            assert await take(content(world, feed)) == LARGE
        (path,) = (tmp_path / "spool").iterdir()
        path.write_bytes(path.read_bytes() + b"more")
    assert sent.count == len(LARGE)


async def test_a_fast_read_for_one_target_touches_no_disk(world, spool, sent, tmp_path):
    async with feeding(world, spool, sent, Tuning(shelved=10_000)) as feed:
        assert await asyncio.wait_for(take(content(world, feed)), 5) == LARGE
    assert list((tmp_path / "spool").iterdir()) == []


async def test_what_failed_once_is_kept_the_next_time(world, spool, sent):
    async with feeding(world, spool, sent, Tuning(shelved=10_000, window=100_000)) as feed:
        fed = content(world, feed)
        for share in (2, 2, 1):
            data = await take(fed, len(LARGE) // share)
    assert data == LARGE
    assert sent.count < 2 * len(LARGE)


@pytest.mark.parametrize(("landed", "left"), [(True, 0), (False, 1)])
async def test_what_all_targets_have_is_kept_no_longer(world, spool, sent, tmp_path, landed, left):
    async with feeding(world, spool, sent) as feed:
        fed = content(world, feed)
        feed.expect([fed.d.digest], "east")
        await take(fed)
        feed.settled(fed.d.digest, "east", landed=landed)
    assert len(list((tmp_path / "spool").iterdir())) == left


async def test_a_disk_that_takes_no_more_gives_no_wrong_result(world, spool, sent, tmp_path):
    async with feeding(world, spool, sent) as feed:
        with files_of_at_most(2 * MIB + 5):
            assert await take(content(world, feed)) == LARGE
        assert await take(content(world, feed)) == LARGE
    assert "too large" in spool.trouble
    assert list((tmp_path / "spool").iterdir()) == []


async def test_what_does_not_fit_is_not_kept(world, sent, tmp_path):
    with opened(tmp_path / "spool", SystemClock(), len(LARGE) - 1) as found:
        async with feeding(world, found.spool, sent) as feed:
            assert await take(content(world, feed)) == LARGE
    assert list((tmp_path / "spool").iterdir()) == []


async def test_a_source_that_is_gone_still_ends_in_its_error(world, spool, sent):
    async with feeding(world, spool, sent) as feed:
        fed = content(world, feed)
        await take(fed, 3 * MIB)
        world.at_source("app").lose(fed.d.digest)
        with pytest.raises(SyncerError):
            await take(fed)
        assert fed.given_up
