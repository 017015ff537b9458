"""Ranges of a blob that are read ahead of the one stream that is read in order, where a single connection is slow.

    0 ........ offset ------------- edge [ part ][ part ] gap [ part ] gap ............ size
               read by one stream        read side by side, each by a request of its own

What lies before the first part belongs to the stream; a gap behind it, to the next range. So a range is never repeated
by itself: what it did not bring is a gap again. Whoever fails makes the number of ranges smaller, whoever arrives while
the reader waits makes it larger. Ranges use memory and slots that nobody else wants now.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from syncer.errors import MirrorUnusable, NoHonestSource, SyncerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from syncer.clock import Clock
    from syncer.content.places import Source, Stream
    from syncer.oci.descriptor import Descriptor
    from syncer.transfer.shelf import Windows

MIB = 1024 * 1024
FALLS = 3  # times that no range got through, before they are left alone for this read


@dataclass(frozen=True, slots=True)
class Spreading:
    """When ranges are worth it, and how they are cut."""

    smallest: int = 8 * MIB  # bytes of a blob that may be read in ranges
    slow: float = 8.0 * MIB  # bytes per second: a faster connection is enough
    worth: float = 2.0  # seconds that the rest would take one connection
    watch: float = 1.0  # seconds of waiting for bytes after which its rate is known
    span: float = 0.5  # seconds that a range should take
    least: int = 1 * MIB  # bytes of a range
    largest: int = 4 * MIB
    first: int = 2  # ranges at a time, to begin with
    most: int = 24
    opening: int = 8  # of these, not answered yet
    behind: float = 4.0  # times that another range was faster than one that is given up
    patience: float = 0.5  # seconds between two looks at a range that is waited for


@dataclass(frozen=True, slots=True)
class Means:
    """What ranges need: the memory of all reads, tasks, and the time."""

    windows: Windows
    tasks: asyncio.TaskGroup
    clock: Clock
    spreading: Spreading


@dataclass(slots=True, eq=False)
class Part:
    """One range, on its way or complete; it ends where it broke off."""

    start: int
    stop: int
    began: float
    host: str = ""  # nobody yet
    got: int = 0
    ended: bool = False
    chunks: deque[bytes] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def put(self, chunk: bytes) -> None:
        """Hand over the next bytes."""
        self.chunks.append(chunk)
        self.got += len(chunk)
        self.news.set()


class Ranges:
    """The ranges of one read of `d`; `came` hears how many bytes came from whom."""

    def __init__(self, source: Source, d: Descriptor, means: Means, came: Callable[[int, str], None]) -> None:
        self._source = source
        self._d = d
        self._means = means
        self._how = means.spreading
        self._came = came
        self._parts: list[Part] = []  # in order, apart from each other
        self._tasks: set[asyncio.Task[None]] = set()
        self._width = 0  # ranges that may be on their way at a time
        self._shrunk = 0.0  # when it last became smaller
        self._falls = 0
        self._waiting = False  # whether the reader waits for bytes now, and not for who takes them
        self._waited = 0.0  # when it last did
        self._rates: dict[str, float] = {}  # bytes per second of the last range that a host brought
        self._slow: set[str] = set()
        self._whole: set[str] = set()  # hosts that do not send what a Range asks for

    @property
    def edge(self) -> int:
        """Where the stream that is read in order may end."""
        return self._parts[0].start if self._parts else self._d.size

    @property
    def avoided(self) -> frozenset[str]:
        """Hosts that are too slow, or send only whole blobs."""
        return frozenset(self._slow | self._whole)

    def sends_whole(self, host: str) -> bool:
        """Note that `host` ignored a Range; whether that is news."""
        new = host not in self._whole
        self._whole.add(host)
        return new

    def pardon(self) -> None:
        """A slow host is better than none."""
        self._slow.clear()

    async def watched(self, stream: Stream, offset: int) -> AsyncGenerator[bytes, None]:
        """The chunks of the stream that is read in order from `offset`; where they come slowly, ranges begin."""
        position, received, waited = stream.start, 0, 0.0
        chunks = aiter(stream.chunks)
        while True:
            started = self._means.clock.monotonic()
            with self._wait():
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            position, received = position + len(chunk), received + len(chunk)
            waited += self._waited - started
            if waited >= self._how.watch and position >= offset:
                self._consider(stream.host, position, received / waited)
                received, waited = 0, 0.0
            yield chunk

    def at(self, offset: int) -> Part | None:
        """The part that begins at `offset`."""
        return self._parts[0] if self.edge == offset < self._d.size else None

    async def taken(self, part: Part) -> AsyncGenerator[bytes, None]:
        """The chunks of the first part; fewer than it was to have, if it broke off or was too slow."""
        while part.chunks or not part.ended:
            if part.chunks:
                yield part.chunks.popleft()
            else:
                await self._news(part)
        self._drop(part)
        self._spread()

    async def close(self) -> None:
        """Let go of all requests and of the memory."""
        self._width = 0
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for part in tuple(self._parts):
            self._drop(part)

    @contextmanager
    def _wait(self) -> Iterator[None]:
        self._waiting = True
        try:
            yield
        finally:
            self._waiting, self._waited = False, self._means.clock.monotonic()

    # how many

    def _consider(self, host: str, position: int, rate: float) -> None:
        """Begin if the rest of the blob is worth it; the stream goes on for another while."""
        left, how = self._d.size - position, self._how
        if self._parts or self._falls >= FALLS or rate >= how.slow or left < rate * how.worth:
            return
        self._rates[host] = rate
        self._width = how.first
        start = position + max(self._size, int(rate * how.watch))
        stop = min(start + self._size, self._d.size)
        if start < stop and self._source.spare > 0 and self._means.windows.take_spare(stop - start):
            self._begin(start, stop)
            self._spread()

    @property
    def _size(self) -> int:
        """Bytes of the next range."""
        rate = max(self._rates.values())
        return min(max(int(rate * self._how.span), self._how.least), self._how.largest)

    def _spread(self) -> None:
        """Read further ranges, as long as that takes nothing away from anybody."""
        while self._may_begin():
            gap = self._gap()
            if gap is None or not self._means.windows.take_spare(gap[1] - gap[0]):
                return
            self._begin(*gap)

    def _may_begin(self) -> bool:
        ready = sum(1 for _ in takewhile(lambda part: part.ended, self._parts))
        if not self._parts or ready >= max(self._width, self._how.first):
            return False  # who takes the bytes is slower than we are
        running = [part for part in self._parts if not part.ended]
        return len(running) < self._width and sum(not part.host for part in running) < min(
            self._source.spare, self._how.opening
        )

    def _gap(self) -> tuple[int, int] | None:
        """The first bytes behind the first part that nobody reads."""
        for number, part in enumerate(self._parts, 1):
            end = self._parts[number].start if number < len(self._parts) else self._d.size
            if part.stop < end:
                return part.stop, min(end, part.stop + self._size)
        return None

    # one range

    def _begin(self, start: int, stop: int) -> None:
        part = Part(start, stop, self._means.clock.monotonic())
        self._parts.append(part)
        self._parts.sort(key=lambda each: each.start)
        part.task = self._means.tasks.create_task(self._fill(part), name=f"range {start} of {self._d.digest.short}")
        self._tasks.add(part.task)
        part.task.add_done_callback(self._tasks.discard)

    async def _fill(self, part: Part) -> None:
        try:
            await self._read(part)
        except SyncerError as error:
            self._failed(part, error)
        else:
            self._arrived(part)
        finally:
            self._end(part)
        self._spread()

    async def _read(self, part: Part) -> None:
        async with self._source.blob(self._d, part.start, part.stop, self.avoided) as stream:
            part.host = stream.host
            if stream.start == part.start:
                async for chunk in stream.chunks:
                    wanted = chunk[: part.stop - part.start - part.got]
                    if wanted:
                        self._came(len(wanted), stream.host)
                        part.put(wanted)

    def _arrived(self, part: Part) -> None:
        if part.start + part.got < part.stop:
            if not self.sends_whole(part.host):
                self._shrink(part)
            return
        self._falls = 0
        self._rates[part.host] = part.got / max(self._means.clock.monotonic() - part.began, 0.001)
        if self._waiting or self._waited >= part.began:
            self._width = min(self._width + 1, self._how.most) if self._width else 0

    def _failed(self, part: Part, error: SyncerError) -> None:
        """Go on with fewer ranges, or without those whom nobody else could replace."""
        if self.avoided and isinstance(error, MirrorUnusable | NoHonestSource):
            self._falls = 0 if self._slow else FALLS
            self._width = self._width if self._slow else 0
            self.pardon()
        else:
            self._shrink(part)

    def _shrink(self, part: Part) -> None:
        """Halve the width, once for all that were on their way when it happened."""
        if part.began >= self._shrunk and self._width:
            self._shrunk = self._means.clock.monotonic()
            self._width //= 2
            self._falls += not self._width

    def _end(self, part: Part) -> None:
        """Nothing more comes: what is missing is a gap."""
        if part.ended:
            return
        part.ended = True
        self._means.windows.give_back(part.stop - part.start - part.got)
        part.stop = part.start + part.got
        part.news.set()
        if not part.got:
            self._drop(part)

    def _drop(self, part: Part) -> None:
        if part in self._parts:
            self._parts.remove(part)
            self._means.windows.give_back(part.stop - part.start)

    # who is too slow

    async def _news(self, part: Part) -> None:
        """Wait for bytes of `part`, or give it up if others are much faster: its rest is a gap then."""
        part.news.clear()
        with self._wait(), suppress(TimeoutError):
            async with asyncio.timeout(self._how.patience):
                await part.news.wait()
        if part.task and not part.ended and self._lags(part):
            part.task.cancel()
            await asyncio.wait([part.task])
            self._end(part)

    def _lags(self, part: Part) -> bool:
        """Whether another range was several times as fast as this one has been for a while."""
        elapsed, best = self._means.clock.monotonic() - part.began, max(self._rates.values())
        if elapsed < 2 * self._how.patience or part.got * self._how.behind >= best * elapsed:
            return False
        if part.host and self._rates.get(part.host, 0.0) * self._how.behind < best:
            self._slow.add(part.host)
        return True
