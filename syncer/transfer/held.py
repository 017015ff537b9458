"""The beginnings of blobs on their way, in memory that nobody else needs now.

A delivery that breaks goes on from there, and the source is not asked for those bytes again. They are given up as soon
as a read or a range wants the memory: then the source is read once more, and nothing is lost but time.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.transfer.shelf import Windows

ROOM = 16 * 1024 * 1024  # bytes of all beginnings together


class Beginning:
    """The first bytes of a blob, as its reads hand them over."""

    def __init__(self, held: Held, size: int) -> None:
        self.chunks: list[bytes] = []
        self.length = 0
        self.stopped: Callable[[], None] | None = None
        """Called when the read that adds to it need not go on for its sake."""
        self._held = held
        self._size = size
        self._at: int | None = None  # how far the read that adds to it has come
        self._reads = 0  # that added to it so far
        self._news = asyncio.Event()

    @property
    def growing(self) -> bool:
        """Whether a read adds to it."""
        return self._at is not None

    @property
    def takes_all(self) -> bool:
        """Whether there is room for the rest of the blob."""
        return self.growing and self._held.room >= self._size - self.length

    def put(self, chunk: bytes) -> None:
        """The next bytes of the read; what was held before is not held twice."""
        if self._at is None:
            return
        fresh = chunk[max(0, self.length - self._at) :]
        self._at += len(chunk)
        if fresh and self._held.take(len(fresh)):
            self.chunks.append(fresh)
            self.length += len(fresh)
            self._news.set()
        elif fresh:
            self._stop()

    def begin(self) -> None:
        """A read starts with the first byte."""
        self._at = 0
        self._reads += 1

    def end(self) -> None:
        """Nothing is added by that read any more."""
        self._at = self.stopped = None
        self._news.set()

    def drop(self) -> int:
        """Hold nothing more; how many bytes it was."""
        length = self.length
        self.chunks, self.length = [], 0
        self._stop()
        return length

    def replay(self) -> AsyncGenerator[bytes, None]:
        """What is held, and what the read that adds to it now still brings."""
        return self._replay(self._reads if self.growing else 0)

    async def _replay(self, read: int) -> AsyncGenerator[bytes, None]:
        passed = 0
        while True:
            chunks = self.chunks
            if passed < len(chunks):
                yield chunks[passed]
                passed += 1
            elif not self.growing or self._reads != read:  # whoever takes these bytes may be the next read itself
                return
            else:
                self._news.clear()
                await self._news.wait()

    def _stop(self) -> None:
        stopped = self.stopped
        self.end()
        if stopped:
            stopped()


class Held:
    """All beginnings of a run."""

    def __init__(self, windows: Windows, room: int = ROOM) -> None:
        self.room = room
        self._windows = windows
        self._beginnings: dict[Digest, Beginning] = {}
        windows.pressed = self._drop_all

    @contextmanager
    def growing(self, d: Descriptor) -> Iterator[Beginning | None]:
        """What holds the bytes that a read hands over; nothing where another read is doing so."""
        beginning = self._beginnings.get(d.digest)
        if beginning is None:
            beginning = self._beginnings[d.digest] = Beginning(self, d.size)
        elif beginning.growing:
            yield None
            return
        beginning.begin()
        try:
            yield beginning
        finally:
            beginning.end()

    def beginning(self, digest: Digest) -> AsyncGenerator[bytes, None] | None:
        """What is held of a blob, if anything is."""
        beginning = self._beginnings.get(digest)
        return beginning.replay() if beginning and beginning.length else None

    def drop(self, digest: Digest) -> None:
        """Nobody needs the beginning of that blob, or it was wrong."""
        beginning = self._beginnings.pop(digest, None)
        if beginning is not None:
            self._give_back(beginning.drop())

    def take(self, count: int) -> bool:
        """Hold so many bytes more, unless that is too many or somebody needs them."""
        if self.room < count or not self._windows.take_idle(count):
            return False
        self.room -= count
        return True

    def _drop_all(self) -> None:
        for digest in list(self._beginnings):
            self.drop(digest)

    def _give_back(self, count: int) -> None:
        self.room += count
        self._windows.give_back(count)
