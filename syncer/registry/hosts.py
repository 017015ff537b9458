"""What is known in this run about each host: one record, shared by everyone who talks to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from syncer.attempts import Breaker
from syncer.errors import NetworkError, TimedOut
from syncer.registry.headers import allowance, warning
from syncer.report.model import HostLine, Pulls

if TYPE_CHECKING:
    from syncer.clock import Clock
    from syncer.registry.http import Response

MOST_WARNINGS = 10  # of one host
PATIENCE = 120.0  # seconds of nothing but timeouts after which a host is left alone: it would hold up the run for hours


@dataclass(slots=True)
class HostRecord:
    """One host: how it did, how busy it is, and whether it should be asked."""

    host: str
    breaker: Breaker
    requests: int = 0
    received: int = 0  # body bytes
    load: int = 0  # requests that wait or are open now
    answered: bool = False  # at least once in this run
    silent: str | None = None  # why it is not asked again in this run
    silent_since: float | None = None  # by the monotonic clock: the first of the timeouts since it last answered
    blamed: str | None = None  # why it is not asked any more
    closed_until: float = 0.0  # by the monotonic clock: it asked us to wait
    pulls: int = 0  # manifests that it gave: what Docker Hub counts
    pulls_left: tuple[int, int | None] | None = None  # (N, seconds of the window), by Docker Hub's count
    pulls_limit: int | None = None  # of which those are what is left
    pulls_open: int = 0  # asked for and not answered yet
    warnings: dict[str, None] = field(default_factory=dict)  # what the registry wants shown, in order, each once

    @property
    def never_answered(self) -> bool:
        """Whether it was asked, and in vain."""
        return self.requests > 0 and not self.answered

    @property
    def pulls_are_spent(self) -> bool:
        """Whether the registry says that its budget has no pull left besides those under way."""
        return self.pulls_left is not None and self.pulls_left[0] <= self.pulls_open

    @property
    def budget(self) -> Pulls | None:
        """The pull budget as the registry counted it last."""
        if self.pulls_left is None:
            return None
        left, window = self.pulls_left
        return Pulls(left, self.pulls_limit, window, self.pulls)

    def saw(self, response: Response) -> None:
        """Note that the head of an answer came, and what the registry says of itself in it."""
        self.answered, self.silent, self.silent_since = True, None, None
        self.pulls_left = allowance(response.header("RateLimit-Remaining")) or self.pulls_left
        if limit := allowance(response.header("RateLimit-Limit")):
            self.pulls_limit = limit[0]
        for text in filter(None, map(warning, response.header_all("Warning"))):
            if len(self.warnings) < MOST_WARNINGS:
                self.warnings[text] = None

    def finished(self, status: int) -> None:
        """Note that an answer was dealt with and did not break off."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.breaker.failed()
        else:
            self.breaker.succeeded()

    def failed(self, error: NetworkError, now: float) -> None:
        """Note that no answer came, or that it broke off; `now` is the time by the monotonic clock."""
        self.breaker.failed()
        if not isinstance(error, TimedOut):
            return
        if not self.answered:
            self.silent = "did not answer in time at first contact"
        elif self.silent_since is None:
            self.silent_since = now
        elif now - self.silent_since > PATIENCE:
            self.silent = f"has not answered for {now - self.silent_since:.0f} s"


def spare(in_flight: int, load: int) -> int:
    """How many more streams could begin now; a quarter of `in_flight` is left to requests that cannot be spared."""
    return max(0, in_flight - in_flight // 4 - load)


class Hosts:
    """The records of a run, by host[:port]."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, HostRecord] = {}

    def of(self, host: str) -> HostRecord:
        """The record of `host`, as `Origin.netloc` writes it."""
        if host not in self._records:
            self._records[host] = HostRecord(host, Breaker(self._clock))
        return self._records[host]

    def resting(self, record: HostRecord) -> bool:
        """Whether it failed too often lately, or asked everyone to wait: then others are asked first."""
        return record.breaker.shut or self._clock.monotonic() < record.closed_until

    def warnings(self) -> tuple[str, ...]:
        """Who never answered, and what registries want shown. Spec: distribution-spec 1.1, "Warnings"."""
        records = self._records.values()
        silent = [f"{record.host} did not answer once in this run" for record in records if record.never_answered]
        return (*silent, *(f"{record.host}: {text}" for record in records for text in record.warnings))

    def lines(self) -> tuple[HostLine, ...]:
        """The records for the report, in the order of first use."""
        return tuple(
            HostLine(record.host, record.requests, record.received, record.blamed, record.budget)
            for record in self._records.values()
        )
