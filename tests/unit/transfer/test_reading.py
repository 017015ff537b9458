"""One whole read of a blob: resumed where it breaks, its bytes checked, the liar named."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from builders import blob

from syncer.attempts import Attempts, Policy
from syncer.clock import SteppedClock
from syncer.content.places import Place, Stream
from syncer.errors import CorruptContent, MirrorUnusable, ProtocolViolation, SyncerError, Unreachable
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName
from syncer.transfer.reading import Reading

DATA = blob("data", 100_000)
D = Descriptor("application/octet-stream", Digest.of(DATA), len(DATA))


@dataclass
class Answer:
    """How one request is answered."""

    host: str = "a"
    data: bytes = DATA
    cut: int | None = None  # the stream breaks after so many bytes
    start: int | None = None  # where it begins instead of where it was asked to
    error: SyncerError | None = None


@dataclass
class Scripted:
    """A source that answers as it is told, request by request."""

    answers: list[Answer]
    asked: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    place = Place("source.example", RepositoryName("app"))

    @asynccontextmanager
    async def blob(self, _d, start=0, _stop=None, avoid=frozenset()):
        self.asked.append((start, avoid))
        answer = self.answers.pop(0)
        if answer.error:
            raise answer.error
        begin = start if answer.start is None else answer.start
        yield Stream(self._chunks(answer, begin), answer.host, begin)

    async def _chunks(self, answer: Answer, begin: int):
        end = len(answer.data) if answer.cut is None else begin + answer.cut
        for at in range(begin, end, 30_000):
            yield answer.data[at : min(at + 30_000, end)]
        if answer.cut is not None:
            raise Unreachable("reset", host=answer.host)


async def read(source: Scripted, avoid: frozenset[str] = frozenset()) -> tuple[bytes, Reading]:
    reading = Reading(source, D, Attempts(Policy(), SteppedClock()), avoid)
    moved: list[int] = []
    data = b"".join([chunk async for chunk in reading.chunks(lambda count, _host: moved.append(count))])
    assert sum(moved) == len(DATA)
    return data, reading


async def test_a_break_is_resumed_at_its_offset_by_another_host():
    source = Scripted([Answer("a", cut=40_000), Answer("b", cut=10_000), Answer("c")])

    data, reading = await read(source)

    assert data == DATA
    assert [start for start, _ in source.asked] == [0, 40_000, 50_000]
    assert reading.hosts == ["a", "b", "c"]


async def test_a_host_that_starts_from_the_beginning_is_read_past_what_is_known():
    data, _ = await read(Scripted([Answer(cut=40_000), Answer(start=0)]))

    assert data == DATA


async def test_a_host_that_starts_anywhere_else_is_not_believed():
    source = Scripted([Answer(cut=40_000), Answer(start=40_001), Answer()])

    assert (await read(source))[0] == DATA
    assert [start for start, _ in source.asked] == [0, 40_000, 40_000]


async def test_a_break_after_the_last_byte_is_none():
    source = Scripted([Answer(cut=len(DATA))])

    assert (await read(source))[0] == DATA
    assert len(source.asked) == 1


async def test_wrong_bytes_name_the_host_and_the_last_chunk_is_held_back():
    wrong = DATA[:-1] + b"!"
    reading = Reading(Scripted([Answer("liar", wrong)]), D, Attempts(Policy(), SteppedClock()))
    passed = b""

    async def take() -> None:
        nonlocal passed
        async for chunk in reading.chunks(lambda _count, _host: None):
            passed += chunk

    with pytest.raises(CorruptContent) as caught:
        await take()

    assert caught.value.host == "liar"
    assert len(passed) < len(DATA)


async def test_where_two_hosts_sent_parts_nobody_is_named():
    source = Scripted([Answer("a", cut=40_000), Answer("b", DATA[:-1] + b"!")])

    with pytest.raises(CorruptContent) as caught:
        await read(source)

    assert caught.value.host is None
    assert "a and b" in str(caught.value)


async def test_an_end_before_the_end_is_a_wrong_copy():
    source = Scripted([Answer("a", cut=40_000), Answer("short", DATA[:70_000])])

    with pytest.raises(CorruptContent) as caught:
        await read(source)

    assert caught.value.host == "short"


async def test_more_bytes_than_there_are_is_a_wrong_copy():
    with pytest.raises(CorruptContent):
        await read(Scripted([Answer("a", DATA + b"more")]))


async def test_a_host_to_avoid_is_better_than_nobody():
    source = Scripted([Answer(error=MirrorUnusable("nobody but a")), Answer("a")])

    assert (await read(source, frozenset({"a"})))[0] == DATA
    assert [avoid for _, avoid in source.asked] == [{"a"}, frozenset()]


async def test_attempts_end():
    source = Scripted([Answer(error=Unreachable("no route"))] * 10)

    with pytest.raises(Unreachable):
        await read(source)

    assert len(source.asked) == Policy().attempts


async def test_a_host_that_never_starts_right_is_given_up():
    with pytest.raises(ProtocolViolation):
        await read(Scripted([Answer(start=5)] * 10))


async def test_a_blob_of_nothing_is_read():
    nothing = Descriptor("application/octet-stream", Digest.of(b""), 0)
    reading = Reading(Scripted([Answer(data=b"")]), nothing, Attempts(Policy(), SteppedClock()))

    assert [chunk async for chunk in reading.chunks(lambda _count, _host: None)] == []
