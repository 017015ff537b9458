"""Ranges of one blob, side by side: the same bytes in the same order, within a window, taking nothing from others."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncer.attempts import Attempts, Policy
from syncer.clock import SteppedClock, SystemClock
from syncer.content.places import Place, Stream
from syncer.errors import CorruptContent, MirrorUnusable, SyncerError, Unreachable
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName
from syncer.transfer.ranges import Means
from syncer.transfer.reading import Reading
from syncer.transfer.shelf import Windows
from syncer.transfer.spreading import Spreading

DATA = random.Random(1).randbytes(60_000)
EAGER = Spreading(
    smallest=1, slow=1e12, worth=0, watch=0.5, span=0.1, least=1_000, largest=3_000, patience=0.01, most=8
)
FAST = Spreading(smallest=1, slow=1e12, worth=0, watch=0.02, span=0.02, least=1_000, largest=3_000, patience=0.03)
WINDOW = 20_000


@dataclass
class Host:
    """How one host answers."""

    name: str
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)  # the next answers break after so many bytes
    data: bytes = DATA
    chunk: int = 700
    rate: float = 10_000.0  # bytes per second
    hangs: bool = False  # where it was asked for a range
    sticks: bool = False  # where it was asked for the rest, and then somebody for a range


class Crowd:
    """A source of several hosts, asked in turn."""

    place = Place("source.example", RepositoryName("app"))

    def __init__(self, hosts: list[Host], clock, size: int = len(DATA)) -> None:
        self.hosts, self.clock, self.size = hosts, clock, size
        self.spare = 64
        self.policy = Policy()
        self.asked: list[tuple[str, int, int | None]] = []

    @asynccontextmanager
    async def blob(self, _d, start=0, stop=None, avoid=frozenset()):
        able = [host for host in self.hosts if host.name not in avoid]
        if not able:
            raise MirrorUnusable("nobody but those")
        host = able[len(self.asked) % len(able)]
        self.asked.append((host.name, start, stop))
        await asyncio.sleep(0)
        begin, end = (start, stop) if host.ranges else (0, None)
        data, broken = host.data[: self.size][begin:end], host.breaks.pop(0) if host.breaks else None
        hangs = (lambda: host.hangs) if stop else (lambda: host.sticks and any(stop for _, _, stop in self.asked))
        yield Stream(self._chunks(host, data, broken, hangs), host.name, begin)

    async def _chunks(self, host: Host, data: bytes, broken: int | None, hangs):
        data = data if broken is None else data[:broken]
        for at in range(0, len(data), host.chunk):
            await self.clock.sleep(len(data[at : at + host.chunk]) / host.rate)
            yield data[at : at + host.chunk]
            if hangs():
                await asyncio.Event().wait()
        if broken is not None:
            raise Unreachable("reset", host=host.name)


@dataclass
class Read:
    """What came of a read."""

    data: bytes = b""
    moved: int = 0
    error: SyncerError | None = None
    least_free: int = WINDOW
    left: int = 0  # tasks that outlived it
    windows: Windows = field(default_factory=lambda: Windows(WINDOW))


async def read(
    crowd: Crowd, how: Spreading = EAGER, *, avoid=frozenset(), until: int | None = None, pause=None, room: int = WINDOW
) -> Read:
    """Read the blob as `crowd` sends it, or its first `until` bytes; after each chunk `pause`."""
    seen, d = Read(windows=Windows(room)), Descriptor("a/b", Digest.of(DATA[: crowd.size]), crowd.size)

    def moved(count: int, _host: str) -> None:
        seen.moved += count
        seen.least_free = min(seen.least_free, seen.windows._free)

    async with asyncio.TaskGroup() as tasks:
        means = Means(seen.windows, tasks, crowd.clock, how)
        reading = Reading(crowd, d, Attempts(crowd.policy, crowd.clock), avoid, means=means)
        chunks = reading.chunks(moved)
        try:
            async for chunk in chunks:
                seen.data += chunk
                await (pause or asyncio.sleep)(0)
                if until is not None and len(seen.data) >= until:
                    break
        except SyncerError as error:
            seen.error = error
        await chunks.aclose()
        seen.left = len(tasks._tasks)
    return seen


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_whatever_hosts_do_the_bytes_are_right_and_in_order_or_there_is_an_error(data):
    size = data.draw(st.integers(0, len(DATA)))
    names = data.draw(st.integers(1, 4))
    hosts = [
        Host(
            str(name),
            ranges=data.draw(st.booleans()),
            breaks=data.draw(st.lists(st.integers(0, 4_000), max_size=8)),
            data=data.draw(st.sampled_from([DATA, DATA, DATA, DATA[:30_000] + b"!" + DATA[30_001:]])),
            chunk=data.draw(st.integers(100, 5_000)),
            rate=data.draw(st.sampled_from([1e3, 1e4, 1e5])),
        )
        for name in range(names)
    ]

    seen = asyncio.run(read(Crowd(hosts, SteppedClock(), size)))

    assert DATA[:size].startswith(seen.data) or isinstance(seen.error, CorruptContent)
    assert seen.error is not None or (seen.data, seen.moved) == (DATA[:size], size)
    assert seen.error is None or len(seen.data) < max(size, 1)
    assert seen.least_free >= 0
    assert seen.windows._free == WINDOW
    assert seen.left == 0


async def test_a_slow_connection_gets_company_from_all_hosts():
    crowd = Crowd([Host("a"), Host("b"), Host("c")], SteppedClock())

    assert (await read(crowd)).data == DATA

    assert crowd.asked[0] == ("a", 0, None)
    assert {host for host, _, stop in crowd.asked if stop} == {"a", "b", "c"}
    spans = sorted((start, stop) for _, start, stop in crowd.asked[1:])
    assert [stop for _, stop in spans][:-1] == [start for start, _ in spans][1:]  # nothing twice, nothing left out


async def test_a_fast_connection_or_a_small_rest_stays_one_request():
    for how in (Spreading(smallest=1, slow=9_000, watch=0.5), Spreading(smallest=1, worth=6), Spreading()):
        crowd = Crowd([Host("a"), Host("b")], SteppedClock())

        assert (await read(crowd, how)).data == DATA
        assert crowd.asked == [("a", 0, None)]


async def test_hosts_that_ignore_ranges_are_used_whole_and_asked_only_once_for_a_part():
    crowd = Crowd([Host("a", ranges=False), Host("b", ranges=False)], SteppedClock())

    seen = await read(crowd)

    assert (seen.data, seen.moved) == (DATA, len(DATA))
    assert [(host, start) for host, start, stop in crowd.asked if stop is None] == [("a", 0)]
    assert sorted(host for host, _, stop in crowd.asked if stop) in (["a", "b"], ["a", "b", "b"], ["a", "a", "b"])


async def test_who_can_send_parts_does_so_where_others_cannot():
    crowd = Crowd([Host("whole", ranges=False), Host("good")], SteppedClock())

    assert (await read(crowd)).data == DATA

    assert [host for host, _, stop in crowd.asked if stop].count("whole") <= 2
    assert [host for host, _, stop in crowd.asked if stop].count("good") > 10


async def test_what_a_broken_range_did_not_bring_is_read_from_there_elsewhere():
    crowd = Crowd([Host("a"), Host("b", breaks=[500])], SteppedClock())

    assert (await read(crowd)).data == DATA

    broken = next(start for host, start, stop in crowd.asked if host == "b" and stop)
    assert broken + 500 in [start for _, start, _ in crowd.asked]


async def test_where_several_sent_parts_nobody_is_named_and_then_one_sends_it_all():
    wrong = DATA[:20_000] + bytes(40_000)
    crowd = Crowd([Host("a"), Host("b", data=wrong)], SteppedClock())

    seen = await read(crowd)
    assert isinstance(seen.error, CorruptContent)
    assert seen.error.host is None

    crowd.asked.clear()
    assert (await read(crowd, avoid=frozenset({"b"}))).data == DATA
    assert crowd.asked == [("a", 0, None)]


async def test_a_range_that_stands_still_is_given_to_a_faster_host_and_its_host_left_alone():
    crowd = Crowd([Host("a", rate=2e5), Host("dead", hangs=True, rate=2e5), Host("c", rate=2e5)], SystemClock())

    async with asyncio.timeout(10):
        assert (await read(crowd, FAST)).data == DATA

    assert 1 <= sum(host == "dead" for host, _, _ in crowd.asked) <= 6


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"]])
async def test_the_stream_too_is_given_up_where_ranges_are_faster_and_that_counts_as_no_failure(names):
    crowd = Crowd([Host(name, rate=2e5) for name in names], SystemClock())
    crowd.hosts[0].sticks, crowd.policy = True, Policy(attempts=1)

    async with asyncio.timeout(10):
        assert (await read(crowd, FAST)).data == DATA

    (again,) = (host for host, start, stop in crowd.asked if start and stop == crowd.asked[1][1])
    assert (again == "a") == (names == ["a"])


@pytest.mark.parametrize("scarce", ["slots", "memory"])
async def test_ranges_take_nothing_that_somebody_else_needs(scarce):
    crowd = Crowd([Host("a"), Host("b")], SteppedClock())
    crowd.spare = 0 if scarce == "slots" else 64

    assert (await read(crowd, room=500 if scarce == "memory" else WINDOW)).data == DATA

    assert crowd.asked == [("a", 0, None)]


async def test_spare_memory_is_none_while_somebody_waits_for_some():
    windows = Windows(10)

    async def need() -> None:
        async with windows.taken(8):
            pass

    assert windows.take_spare(5)
    waiting = asyncio.create_task(need())
    await asyncio.sleep(0)
    assert not windows.take_spare(1)

    windows.give_back(5)
    await asyncio.wait_for(waiting, 1)
    assert windows.take_spare(10)


async def test_who_takes_the_bytes_slowly_does_not_fill_the_memory():
    async def rest(_seconds: float) -> None:
        for _ in range(200):
            await asyncio.sleep(0)

    crowd = Crowd([Host("a"), Host("b")], SteppedClock())
    seen = await read(crowd, until=30_000, pause=rest)

    assert DATA.startswith(seen.data)
    assert seen.least_free >= WINDOW // 4


async def test_a_reader_that_leaves_takes_its_requests_and_its_memory_with_it():
    crowd = Crowd([Host("a"), Host("b")], SteppedClock())

    seen = await read(crowd, until=20_000)

    assert len(seen.data) < len(DATA)
    assert (seen.windows._free, seen.left) == (WINDOW, 0)
