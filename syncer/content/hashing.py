"""Hashes of streams; those of long ones beside the event loop, since a gigabyte takes a second of a core."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from hashlib import _Hash

    from syncer.oci.descriptor import Descriptor

LONG = 4 * 1024 * 1024  # bytes of a blob from which threads are worth their hand-overs
PORTION = 512 * 1024  # bytes of one hand-over, which itself costs as much as hashing some 50 KiB
_POOL = ThreadPoolExecutor(min(4, os.cpu_count() or 1), "hash")  # of its own: the loop's may wait for name servers


class Hashing:
    """The hash of the bytes of `d`, added in order.

    A short blob is hashed at once; of a long one a thread hashes a portion while the next one comes. Whoever adds waits
    when both are full, so that no more than two portions are held.
    """

    def __init__(self, d: Descriptor) -> None:
        self._hasher = d.digest.hasher()
        self._portion: list[bytes] | None = [] if d.size >= LONG else None
        self._size = 0
        self._at_work: asyncio.Future[None] | None = None

    async def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self._portion is None:
            self._hasher.update(chunk)
            return
        self._portion.append(chunk)
        self._size += len(chunk)
        if self._size >= PORTION:
            await self._done()
            self._at_work = asyncio.get_running_loop().run_in_executor(_POOL, _update, self._hasher, self._portion)
            self._portion, self._size = [], 0

    async def hexdigest(self) -> str:
        """The hash of all that was added."""
        await self._done()
        _update(self._hasher, self._portion or ())
        return self._hasher.hexdigest()

    def drop(self) -> None:
        """Nobody asks any more: the thread ends its portion and tells nobody, since the loop may be gone by then."""
        if self._at_work is not None:
            self._at_work.cancel()

    async def _done(self) -> None:
        if self._at_work is not None:
            await self._at_work


def _update(hasher: _Hash, chunks: Sequence[bytes]) -> None:
    for chunk in chunks:
        hasher.update(chunk)
