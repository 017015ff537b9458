"""How many requests are in flight at once: more while that pays, half as many when a host has had enough (AIMD)."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MORE = 1.05  # times the last round's: less than that is noise
_SLACK = 0.5  # seconds that even the fastest answer of a round may take longer; our own loop lags, too
_SLOWER = 2.0  # times the fastest answer of all, on top of it
_NEVER = float("inf")


@dataclass(slots=True)
class _Round:
    """What was observed while as many requests ended as were let in at its beginning."""

    size: int
    began: float
    ended: int = 0
    moved: int = 0  # bytes of bodies
    fastest: float = _NEVER  # seconds to the head of an answer
    full: bool = False  # somebody had to wait for a slot

    def rates(self, now: float) -> tuple[float, float]:
        """Requests and bytes per second."""
        seconds = max(now - self.began, 1e-6)
        return self.ended / seconds, self.moved / seconds


class Window:
    """How many at once, from one to a ceiling; it moves only while somebody has to wait.

    At first each request that ends well makes room for another one, which doubles the window from round to round, as
    long as rounds bring more requests or more bytes per second than the one before. Then a round that does not bring
    less makes room for one more. A failure halves the window, and so does a round in which even the fastest answer was
    slow. Of failures only those of requests begun after the last halving count: two hundred that are refused together
    are one piece of news.
    """

    def __init__(self, ceiling: int, start: int, now: float) -> None:
        self.size = min(start, ceiling)
        self.halvings = 0
        self._ceiling = ceiling
        self._doubling = True
        self._fastest = _NEVER  # seconds, of all answers so far
        self._rates = (0.0, 0.0)  # of the last full round
        self._round = _Round(self.size, now)

    def wanted(self) -> None:
        """Somebody waits: the window is what limits."""
        self._round.full = True

    def answered(self, seconds: float) -> None:
        """The head of an answer took so long."""
        self._round.fastest = min(self._round.fastest, seconds)

    def failed(self, began: int, now: float) -> None:
        """The host refused, broke down or was silent; `began` is what `halvings` was when that request began."""
        if began == self.halvings:
            self._halve(now)

    def ended(self, moved: int, now: float) -> None:
        """A request ended well, with so many bytes of body."""
        self._round.ended += 1
        self._round.moved += moved
        if self._doubling and self._round.full:
            self._grow()
        if self._round.ended >= self._round.size:
            self._judge(self._round, now)

    def _judge(self, last: _Round, now: float) -> None:
        """What a finished round says."""
        self._round = _Round(self.size, now)
        self._fastest = min(self._fastest, last.fastest)
        if self._fastest < _NEVER and last.fastest > self._fastest * _SLOWER + _SLACK:
            self._halve(now)
        elif last.full:
            self._compare(last.rates(now))

    def _compare(self, rates: tuple[float, float]) -> None:
        before, self._rates = self._rates, rates
        if self._doubling:
            self._doubling = any(new > old * _MORE for new, old in zip(rates, before, strict=True))
        elif any(new * _MORE >= old for new, old in zip(rates, before, strict=True)):
            self._grow()

    def _grow(self) -> None:
        self.size = min(self.size + 1, self._ceiling)

    def _halve(self, now: float) -> None:
        self.size = max(1, self.size // 2)
        self.halvings += 1
        self._doubling = False
        self._round = _Round(self.size, now)


class Slots:
    """A slot for each that a window has room for, in the order in which they were asked for."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._taken = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A slot until the block ends."""
        await self._take()
        try:
            yield
        finally:
            self._give_back()

    async def _take(self) -> None:
        if self._taken < self.window.size and not self._queue:
            self._taken += 1
            return
        self.window.wanted()
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back()  # it came in the same moment
            raise

    def _give_back(self) -> None:
        self._taken -= 1
        while self._queue and self._taken < self.window.size:
            turn = self._queue.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
