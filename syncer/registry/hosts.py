"""What is known in this run about each host: one record, shared by everyone who talks to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from syncer.attempts import Breaker
from syncer.errors import NetworkError, TimedOut
from syncer.registry.headers import allowance, warning
from syncer.report.model import HostLine

if TYPE_CHECKING:
    from syncer.clock import Clock
    from syncer.registry.http import Response

MOST_WARNINGS = 10  # of one host


@dataclass(slots=True)
class HostRecord:
    """One host: how it did, how busy it is, and whether it should be asked."""

    host: str
    breaker: Breaker
    requests: int = 0
    received: int = 0  # body bytes
    load: int = 0  # requests that wait or are open now
    answered: bool = False  # at least once in this run
    timed_out_at_first_contact: bool = False
    blamed: str | None = None  # why it is not asked any more
    closed_until: float = 0.0  # by the monotonic clock: it asked us to wait
    pulls_left: tuple[int, int | None] | None = None  # (N, seconds of the window), by Docker Hub's count
    warnings: dict[str, None] = field(default_factory=dict)  # what the registry wants shown, in order, each once

    @property
    def never_answered(self) -> bool:
        """Whether it was asked, and in vain."""
        return self.requests > 0 and not self.answered

    def saw(self, response: Response) -> None:
        """Note that the head of an answer came, and what the registry says of itself in it."""
        self.answered, self.timed_out_at_first_contact = True, False
        self.pulls_left = allowance(response.header("RateLimit-Remaining")) or self.pulls_left
        for text in filter(None, map(warning, response.header_all("Warning"))):
            if len(self.warnings) < MOST_WARNINGS:
                self.warnings[text] = None

    def finished(self, status: int) -> None:
        """Note that an answer was dealt with and did not break off."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.breaker.failed()
        else:
            self.breaker.succeeded()

    def failed(self, error: NetworkError) -> None:
        """Note that no answer came, or that it broke off."""
        self.breaker.failed()
        if isinstance(error, TimedOut) and not self.answered:
            self.timed_out_at_first_contact = True


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
            HostLine(record.host, record.requests, record.received, record.blamed) for record in self._records.values()
        )
