"""How fast the hosts of one blob send ranges of it, and which of them are better left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncer.transfer.spreading import Spreading


class Speeds:
    """What one read has learned about hosts."""

    def __init__(self, how: Spreading) -> None:
        self._how = how
        self._rates: dict[str, float] = {}  # bytes per second of the last that a host brought
        self._slow: set[str] = set()
        self._whole: set[str] = set()  # hosts that do not send what a Range asks for

    @property
    def span(self) -> int:
        """Bytes that the next range should have."""
        return min(max(int(self._best * self._how.span), self._how.least), self._how.largest)

    @property
    def avoided(self) -> frozenset[str]:
        """Hosts that are too slow, or send only whole blobs."""
        return frozenset(self._slow | self._whole)

    @property
    def any_slow(self) -> bool:
        """Whether one is left alone only because others are faster."""
        return bool(self._slow)

    def measured(self, host: str, rate: float) -> None:
        """It brought so many bytes per second."""
        self._rates[host] = rate

    def patience(self, got: int, seconds: float) -> float:
        """Seconds that bytes may still take of which `got` came in the last `seconds`: others are that much faster."""
        return max(2 * self._how.patience, got * self._how.behind / self._best) - seconds

    def fell_behind(self, host: str) -> None:
        """A range of it was given up: it is left alone if it was slow before, too. "": nobody had answered yet."""
        if host and self._rates.get(host, 0.0) * self._how.behind < self._best:
            self._slow.add(host)

    def overtaken(self, host: str) -> None:
        """It became slow in the middle: it is left alone if there are others."""
        if self._rates.keys() - {host}:
            self._slow.add(host)

    def sends_whole(self, host: str) -> bool:
        """Note that `host` ignored a Range; whether that is news."""
        new = host not in self._whole
        self._whole.add(host)
        return new

    def pardon(self) -> None:
        """A slow host is better than none."""
        self._slow.clear()

    @property
    def _best(self) -> float:
        return max(self._rates.values())
