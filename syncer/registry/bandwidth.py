"""How fast bodies may flow: token buckets, which everyone who moves bytes passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from syncer.clock import Clock
    from syncer.settings.bandwidth import Timetable

_PIECE = 64 * 1024  # bytes that pass at a time, so that a slow rate flows and does not come in jerks
_BURST = 0.05  # seconds whose bytes may pass at once: no clock wakes us for each of ten thousand pieces a second
_SLICE = 1.0  # seconds after which a waiter looks whether the timetable says something else


class Bucket:
    """As many bytes a second as a timetable allows; who waits here waits for us, and no host is blamed for it."""

    def __init__(self, timetable: Timetable, clock: Clock) -> None:
        self._timetable = timetable
        self._clock = clock
        self._debt = 0.0  # bytes that passed and are not paid for yet
        self._at = clock.monotonic()
        self._turn = asyncio.Lock()  # first come, first served

    async def take(self, count: int) -> None:
        """Wait until `count` bytes may pass."""
        async with self._turn:
            while (wait := self._wait()) > _BURST:
                await self._clock.sleep(min(wait, _SLICE))
            self._debt += count

    def spend(self, count: int) -> None:
        """`count` bytes have passed without waiting: those who come next pay for them."""
        self._debt += count

    def _wait(self) -> float:
        """Seconds until the debt is paid, by the rate of now."""
        now, rate = self._clock.monotonic(), self._timetable.rate(self._clock.now().astimezone())
        elapsed, self._at = now - self._at, now
        self._debt = 0.0 if rate is None else max(0.0, self._debt - elapsed * rate)
        return self._debt / rate if rate else 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The buckets that bytes in one direction pass, all of them; usually none."""

    buckets: tuple[Bucket, ...] = ()

    async def paced(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The bytes of `chunks`, which are closed with this iterator, no faster than allowed."""
        try:
            async for chunk in chunks:
                for piece in _pieces(chunk):
                    for bucket in self.buckets:
                        await bucket.take(len(piece))
                    yield piece
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    def spend(self, count: int) -> None:
        """`count` bytes have passed without waiting."""
        for bucket in self.buckets:
            bucket.spend(count)


@dataclass(frozen=True, slots=True)
class Paces:
    """Both directions of one endpoint; they do not slow each other down."""

    received: Pace = field(default_factory=Pace)
    sent: Pace = field(default_factory=Pace)


class Bandwidths:
    """The buckets of a run: one for all of it, and one for each host and limit, in each direction."""

    def __init__(self, whole: Timetable | None, clock: Clock) -> None:
        self._whole = whole
        self._clock = clock
        self._buckets: dict[tuple[str, str, Timetable], Bucket] = {}

    def of(self, host: str, own: Timetable | None) -> Paces:
        """What an endpoint at `host` passes that has a limit of its `own`; endpoints of one host share it."""
        return Paces(self._pace("received", host, own), self._pace("sent", host, own))

    def _pace(self, way: str, host: str, own: Timetable | None) -> Pace:
        limits = {"": self._whole, host: own}
        return Pace(tuple(self._bucket(way, whose, limit) for whose, limit in limits.items() if limit))

    def _bucket(self, way: str, whose: str, limit: Timetable) -> Bucket:
        key = (way, whose, limit)
        if key not in self._buckets:
            self._buckets[key] = Bucket(limit, self._clock)
        return self._buckets[key]


def _pieces(chunk: bytes) -> Iterable[bytes]:
    return (chunk[start : start + _PIECE] for start in range(0, len(chunk), _PIECE))
