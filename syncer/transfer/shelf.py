"""Small blobs that are kept a while for targets yet to come, and the bytes that all reads share."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from syncer.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class Shelved:
    """A whole blob, checked, and who sent it."""

    data: bytes
    hosts: tuple[str, ...]


class Shelf:
    """The last blobs that were read, up to `room` bytes; what was used longest ago goes first."""

    def __init__(self, room: int) -> None:
        self._free = room
        self._held: dict[Digest, Shelved] = {}

    def put(self, digest: Digest, blob: Shelved) -> None:
        """Keep `blob`, and let go of others until there is room for it."""
        self._remove(digest)
        self._held[digest] = blob
        self._free -= len(blob.data)
        while self._free < 0:
            self._remove(next(iter(self._held)))

    def get(self, digest: Digest) -> Shelved | None:
        """The blob, if it is still there."""
        blob = self._held.pop(digest, None)
        if blob is not None:
            self._held[digest] = blob
        return blob

    def has(self, digest: Digest) -> bool:
        """Whether `get` would give it."""
        return digest in self._held

    def _remove(self, digest: Digest) -> None:
        blob = self._held.pop(digest, None)
        self._free += len(blob.data) if blob else 0


class Windows:
    """Bytes of memory that all reads share: who finds too few of them free waits, before it opens anything."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._wait = 0  # who waits
        self._returned = asyncio.Event()
        self.pressed: Callable[[], None] = lambda: None
        """Called when bytes are wanted that are not free: who took idle ones gives them back."""

    @asynccontextmanager
    async def taken(self, count: int) -> AsyncIterator[None]:
        """Hold `count` of the bytes."""
        self._wait += 1
        try:
            while not self._has(count):
                self._returned.clear()
                await self._returned.wait()
        finally:
            self._wait -= 1
        self._free -= count
        try:
            yield
        finally:
            self.give_back(count)

    def take_spare(self, count: int) -> bool:
        """Hold `count` more bytes until they are given back, unless somebody else needs them first."""
        if self._wait or not self._has(count):
            return False
        self._free -= count
        return True

    def take_idle(self, count: int) -> bool:
        """Hold `count` more bytes until `pressed` is called, if nobody misses them now."""
        if self._wait or self._free < count:
            return False
        self._free -= count
        return True

    def give_back(self, count: int) -> None:
        """Let go of bytes that were spare."""
        self._free += count
        self._returned.set()

    def _has(self, count: int) -> bool:
        """Whether so many are free, by what others can do without."""
        if self._free < count:
            self.pressed()
        return self._free >= count
