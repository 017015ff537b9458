"""Which reads are kept on disk while they flow, and what a later read of the same blob takes from there.

Kept is what somebody will probably have to read again, by the rule in docs/decisions/0011-memory-not-disk.md.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from syncer.clock import Clock
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.state.spool import Part, Spool
    from syncer.transfer.tuning import Tuning

BATCH = 1024 * 1024  # bytes that are written at once, and after which it is known how fast a source is
CHUNK = 256 * 1024  # bytes that are read at once


class Keeper:
    """The bytes of one read, on their way to a file if they are worth it.

    It holds what the targets of the read were handed last, less than a window: no memory beyond what they may take.
    """

    def __init__(self, spool: Spool, d: Descriptor, clock: Clock, worth: Callable[[float], bool]) -> None:
        self._spool = spool
        self._d = d
        self._clock = clock
        self._worth = worth  # whether a read that takes so many seconds is worth a file
        self._began: float | None = None
        self._part: Part | None = None
        self._held: list[bytes] = []
        self._fresh: deque[bytes] = deque()  # bytes that are being written
        self._count = 0  # bytes that are held
        self._at = 0  # where in the blob they begin
        self._length = 0  # bytes that can be read back
        self._over = False
        self._news = asyncio.Event()

    async def put(self, chunk: bytes) -> None:
        """The next bytes, in order from the first of the blob."""
        if self._over:
            return
        if self._began is None:
            self._began = self._clock.monotonic()
        self._held.append(chunk)
        self._count += len(chunk)
        if self._count >= BATCH:
            await self._batch(self._part or self._opened(self._began))

    def close(self) -> None:
        """Write what is still held, and let go of the file."""
        part = self._part
        if part is not None:
            self._sort(part)
            try:
                part.append(self._fresh)
            except OSError as error:
                self._spool.give_up(self._d.digest, error)
            self._length = part.length
            self._spool.finished(self._d.digest, part)
        self._end()

    async def beyond(self, at: int) -> bool:
        """Wait until there are more than `at` bytes; whether there ever will be."""
        while self._length <= at and not self._over:
            self._news.clear()
            await self._news.wait()
        return self._length > at

    def _opened(self, began: float) -> Part | None:
        seconds = (self._clock.monotonic() - began) * self._d.size / self._count
        self._part = self._spool.writer(self._d.digest, self._d.size) if self._worth(seconds) else None
        return self._part

    async def _batch(self, part: Part | None) -> None:
        if part is None:
            self._end()
            return
        self._sort(part)
        try:
            await asyncio.to_thread(part.append, self._fresh)
        except OSError as error:
            self._spool.give_up(self._d.digest, error)
            self._end()
        self._length = part.length
        self._news.set()

    def _sort(self, part: Part) -> None:
        """Tell what is fresh among what is held from what the file had before."""
        for chunk in self._held:
            self._fresh.append(chunk[max(0, part.length - self._at) :])
            self._at += len(chunk)
        self._held, self._count = [], 0

    def _end(self) -> None:
        """Keep nothing more, and tell those who wait for it."""
        self._over = True
        self._held = []
        self._fresh.clear()
        self._news.set()


class Spooling:
    """The spool as the reads of a run use it; without one, nothing is kept and nothing is there."""

    def __init__(self, spool: Spool | None, clock: Clock, tuning: Tuning) -> None:
        self._spool = spool
        self._clock = clock
        self._tuning = tuning
        self._keepers: dict[Digest, Keeper] = {}

    @contextmanager
    def kept(self, d: Descriptor, *, again: bool) -> Iterator[Keeper | None]:
        """Who keeps a read of `d`: of what is read `again` all, else what takes long, and what was begun before."""
        spool, digest = self._spool, d.digest
        if spool is None or d.size <= self._tuning.shelved or digest in self._keepers:
            yield None
            return

        def worth(seconds: float) -> bool:
            return again or seconds >= self._tuning.slow or spool.has(digest)

        keeper = self._keepers[digest] = Keeper(spool, d, self._clock, worth)
        try:
            yield keeper
        finally:
            del self._keepers[digest]
            keeper.close()

    def has(self, digest: Digest) -> bool:
        """Whether `beginning` has something of it, or soon will."""
        return self._spool is not None and (digest in self._keepers or self._spool.has(digest))

    def beginning(self, d: Descriptor) -> AsyncGenerator[bytes, None] | None:
        """What there is of `d`, unchecked; where another read keeps it right now, all that still comes."""
        if self._spool is None or d.size <= self._tuning.shelved:
            return None
        return self._beginning(self._spool, d, self._keepers.get(d.digest))

    async def _beginning(self, spool: Spool, d: Descriptor, keeper: Keeper | None) -> AsyncGenerator[bytes, None]:
        at, waited, part = 0, -1, None
        try:
            while at < d.size:
                part = part or spool.reader(d.digest)
                chunk = await asyncio.to_thread(part.read, at, min(CHUNK, d.size - at)) if part else b""
                at += len(chunk)
                if chunk:
                    yield chunk
                elif waited == at or not await self._more(keeper, at):
                    return
                else:
                    waited = at
        finally:
            if part:
                part.close()

    def drop(self, digest: Digest) -> None:
        """Nobody needs what is kept of `digest`, or it was wrong."""
        if self._spool is not None:
            self._spool.drop(digest)

    async def _more(self, keeper: Keeper | None, at: int) -> bool:
        """Whether a keeper brings more than `at` bytes, before it stands still for too long."""
        if keeper is None:
            return False
        try:
            async with asyncio.timeout(self._tuning.stall):
                return await keeper.beyond(at)
        except TimeoutError:
            return False
