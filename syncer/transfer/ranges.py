"""Ranges of a blob that are read ahead of the one stream that is read in order, where a single connection is slow.

    0 ........ offset ------------- edge [ part ][ part ] gap [ part ] gap ............ size
               read by one stream        read side by side, each by a request of its own

What lies before the first part belongs to the stream; a gap behind it, to the next range. So a range is never repeated
by itself: what it did not bring is a gap again. Whoever fails makes the number of ranges smaller, whoever arrives while
the reader waits makes it larger. Ranges use memory and slots that nobody else wants now.

`parts` knows what lies where, `speeds` who is how fast, `reading` puts all of it into one stream.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.errors import MirrorUnusable, NoHonestSource, SyncerError
from syncer.transfer.parts import Parts
from syncer.transfer.speeds import Speeds

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from syncer.clock import Clock
    from syncer.content.places import Source, Stream
    from syncer.oci.descriptor import Descriptor
    from syncer.transfer.parts import Part
    from syncer.transfer.shelf import Windows
    from syncer.transfer.spreading import Spreading

FALLS = 3  # times that no range got through, or that the stream is given up, before both are left alone for this read


class Overtaken(Exception):
    """The stream was given up since ranges are much faster: what it did not bring is to be asked for anew."""


@dataclass(frozen=True, slots=True)
class Means:
    """What ranges need: the memory of all reads, tasks, and the time."""

    windows: Windows
    tasks: asyncio.TaskGroup
    clock: Clock
    spreading: Spreading


class Ranges:
    """The ranges of one read of `d`; `came` hears how many bytes came from whom."""

    def __init__(self, source: Source, d: Descriptor, means: Means, came: Callable[[int, str], None]) -> None:
        self.speeds = Speeds(means.spreading)
        self._source = source
        self._d = d
        self._means = means
        self._how = means.spreading
        self._came = came
        self._parts = Parts(d.size, means.windows)
        self._tasks: set[asyncio.Task[None]] = set()
        self._width = 0  # ranges that may be on their way at a time
        self._shrunk = 0.0  # when it last became smaller
        self._falls = 0
        self._overtaken = 0  # times that the stream was given up
        self._waiting = False  # whether the reader waits for bytes now, and not for who takes them
        self._waited = 0.0  # when it last did

    @property
    def edge(self) -> int:
        """Where the stream that is read in order may end."""
        return self._parts.edge

    def at(self, offset: int) -> Part | None:
        """The part that begins at `offset`."""
        return self._parts.at(offset)

    async def watched(self, stream: Stream, offset: int) -> AsyncGenerator[bytes, None]:
        """The chunks of the stream that is read in order from `offset`; where they come slowly, ranges begin.

        Raises Overtaken where those turn out to be much faster.
        """
        position, received, waited = stream.start, 0, 0.0
        chunks = aiter(stream.chunks)
        while True:
            started = self._now
            chunk = await self._next(chunks, stream.host, received, waited)
            if chunk is None:
                return
            position, received = position + len(chunk), received + len(chunk)
            waited += self._waited - started
            if waited >= self._how.watch and position >= offset:
                self._consider(stream.host, position, received / waited)
                received, waited = 0, 0.0
            yield chunk

    async def taken(self, part: Part) -> AsyncGenerator[bytes, None]:
        """The chunks of the first part; fewer than it was to have, if it broke off or was too slow."""
        while part.chunks or not part.ended:
            if part.chunks:
                yield part.chunks.popleft()
            else:
                await self._news(part)
        self._parts.drop(part)
        self._spread()

    async def close(self) -> None:
        """Let go of all requests and of the memory."""
        self._width = 0
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._parts.clear()

    # waiting for bytes

    @property
    def _now(self) -> float:
        return self._means.clock.monotonic()

    @contextmanager
    def _wait(self) -> Iterator[None]:
        self._waiting = True
        try:
            yield
        finally:
            self._waiting, self._waited = False, self._now

    async def _next(self, chunks: AsyncIterator[bytes], host: str, received: int, waited: float) -> bytes | None:
        """The next chunk of the stream, of which so much came in the last seconds."""
        may_lag = not self._parts or self._overtaken >= FALLS
        try:
            with self._wait():
                async with asyncio.timeout(None if may_lag else self.speeds.patience(received, waited)):
                    return await anext(chunks, None)
        except TimeoutError:
            self._overtaken += 1
            self.speeds.overtaken(host)
            raise Overtaken from None

    async def _news(self, part: Part) -> None:
        """Wait for bytes of `part`, or give it up if others are much faster: its rest is a gap then."""
        part.news.clear()
        with self._wait(), suppress(TimeoutError):
            async with asyncio.timeout(self._how.patience):
                await part.news.wait()
        if part.task and not part.ended and self.speeds.patience(part.got, self._now - part.began) <= 0:
            self.speeds.fell_behind(part.host)
            part.task.cancel()
            await asyncio.wait([part.task])
            self._parts.end(part)

    # how many

    def _consider(self, host: str, position: int, rate: float) -> None:
        """Begin if the rest of the blob is worth it; the stream goes on for another while."""
        left, how = self._d.size - position, self._how
        if self._parts or self._falls >= FALLS or rate >= how.slow or left < rate * how.worth:
            return
        self.speeds.measured(host, rate)
        self._width = how.first
        start = position + max(self.speeds.span, int(rate * how.watch))
        stop = min(start + self.speeds.span, self._d.size)
        if start < stop and self._source.spare > 0 and self._begin(start, stop):
            self._spread()

    def _spread(self) -> None:
        """Read further ranges, as long as that takes nothing away from anybody."""
        while self._may_begin():
            gap = self._parts.gap(self.speeds.span)
            if gap is None or not self._begin(*gap):
                return

    def _may_begin(self) -> bool:
        if not self._parts or self._parts.ready >= max(self._width, self._how.first):
            return False  # who takes the bytes is slower than we are
        running = self._parts.running
        opening = sum(not part.host for part in running)
        return len(running) < self._width and opening < min(self._source.spare, self._how.opening)

    def _shrink(self, part: Part) -> None:
        """Halve the width, once for all that were on their way when it happened."""
        if part.began >= self._shrunk and self._width:
            self._shrunk = self._now
            self._width //= 2
            self._falls += not self._width

    # one range

    def _begin(self, start: int, stop: int) -> bool:
        """Begin to read a range; whether there is memory for it."""
        part = self._parts.begin(start, stop, self._now)
        if part is not None:
            name = f"range {start} of {self._d.digest.short}"
            part.task = self._means.tasks.create_task(self._fill(part), name=name)
            self._tasks.add(part.task)
            part.task.add_done_callback(self._tasks.discard)
        return part is not None

    async def _fill(self, part: Part) -> None:
        try:
            await self._read(part)
        except SyncerError as error:
            self._failed(part, error)
        else:
            self._arrived(part)
        finally:
            self._parts.end(part)
        self._spread()

    async def _read(self, part: Part) -> None:
        async with self._source.blob(self._d, part.start, part.stop, self.speeds.avoided) as stream:
            part.host = stream.host
            if stream.start == part.start:
                async for chunk in stream.chunks:
                    wanted = chunk[: part.lacks]
                    if wanted:
                        self._came(len(wanted), stream.host)
                        part.put(wanted)

    def _arrived(self, part: Part) -> None:
        if part.lacks:
            if not self.speeds.sends_whole(part.host):
                self._shrink(part)
            return
        self._falls = 0
        self.speeds.measured(part.host, part.got / max(self._now - part.began, 0.001))
        if self._waiting or self._waited >= part.began:
            self._width = min(self._width + 1, self._how.most) if self._width else 0

    def _failed(self, part: Part, error: SyncerError) -> None:
        """Go on with fewer ranges, or without those whom nobody else could replace."""
        if self.speeds.avoided and isinstance(error, MirrorUnusable | NoHonestSource):
            self._falls = 0 if self.speeds.any_slow else FALLS
            self._width = self._width if self.speeds.any_slow else 0
            self.speeds.pardon()
        else:
            self._shrink(part)
