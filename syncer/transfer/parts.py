"""The ranges of a blob that are on their way or complete, in order; what lies between them are gaps.

What they hold counts towards the memory of all reads, of which they get only what nobody waits for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncer.transfer.shelf import Windows


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

    @property
    def lacks(self) -> int:
        """Bytes that are still to come."""
        return self.stop - self.start - self.got

    def put(self, chunk: bytes) -> None:
        """Hand over the next bytes."""
        self.chunks.append(chunk)
        self.got += len(chunk)
        self.news.set()


class Parts:
    """The parts of one blob of `size` bytes, apart from each other."""

    def __init__(self, size: int, windows: Windows) -> None:
        self._size = size
        self._windows = windows
        self._parts: list[Part] = []

    def __bool__(self) -> bool:
        return bool(self._parts)

    @property
    def edge(self) -> int:
        """Where the first one begins, or the end of the blob."""
        return self._parts[0].start if self._parts else self._size

    @property
    def ready(self) -> int:
        """How many, from the first, are complete."""
        return sum(1 for _ in takewhile(lambda part: part.ended, self._parts))

    @property
    def running(self) -> list[Part]:
        """Those on their way."""
        return [part for part in self._parts if not part.ended]

    def at(self, offset: int) -> Part | None:
        """The part that begins at `offset`, if it is the first."""
        return self._parts[0] if self._parts and self.edge == offset else None

    def gap(self, most: int) -> tuple[int, int] | None:
        """The first bytes behind the first part that nobody reads, at `most` so many."""
        for number, part in enumerate(self._parts, 1):
            end = self._parts[number].start if number < len(self._parts) else self._size
            if part.stop < end:
                return part.stop, min(end, part.stop + most)
        return None

    def begin(self, start: int, stop: int, now: float) -> Part | None:
        """A new part, if there is memory to spare for it."""
        if not self._windows.take_spare(stop - start):
            return None
        part = Part(start, stop, now)
        self._parts.append(part)
        self._parts.sort(key=lambda each: each.start)
        return part

    def end(self, part: Part) -> None:
        """Nothing more comes: what is missing is a gap."""
        if part.ended:
            return
        part.ended = True
        self._windows.give_back(part.lacks)
        part.stop = part.start + part.got
        part.news.set()
        if not part.got:
            self.drop(part)

    def drop(self, part: Part) -> None:
        """Its bytes were passed on, or nobody wants them."""
        if part in self._parts:
            self._parts.remove(part)
            self._windows.give_back(part.stop - part.start)

    def clear(self) -> None:
        """Drop all of them."""
        for part in tuple(self._parts):
            self.drop(part)
