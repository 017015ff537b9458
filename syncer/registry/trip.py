"""One request on its way, and what it teaches: about its host, and about how many may be in flight there."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from syncer.errors import NetworkError, PullBudgetSpent, Silent, TimedOut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.clock import Clock
    from syncer.registry.adaptive import Window
    from syncer.registry.bandwidth import Pace
    from syncer.registry.hosts import HostRecord
    from syncer.registry.http import Request, Response


class Trip:
    """One request that has its slot, from now until its answer is closed."""

    def __init__(self, request: Request, record: HostRecord, window: Window, clock: Clock) -> None:
        self._request = request
        self._record = record
        self._window = window
        self._clock = clock
        self._began = window.halvings
        self._started = clock.monotonic()
        self._moved = request.body.size if request.bulk and request.body else 0
        self._pull = is_pull(request)
        self._broke = False

    def begin(self) -> None:
        """It is sent now."""
        self._record.requests += 1
        self._record.pulls_open += self._pull

    def answered(self, response: Response) -> None:
        """The head of its answer came."""
        self._record.saw(response)
        self._record.pulls += self._pull and response.status == HTTPStatus.OK
        if _is_too_much(response.status):
            self._window.failed(self._began, self._clock.monotonic())
        elif self._request.body is None:  # else the time is that of sending it
            self._window.answered(self._clock.monotonic() - self._started)

    def head_is_over(self) -> None:
        """Whether or not one came, no more is awaited."""
        self._record.pulls_open -= self._pull

    def received(self, count: int) -> None:
        """So many bytes of body came."""
        self._record.received += count
        self._moved += count if self._request.bulk else 0

    def failed(self, error: NetworkError) -> None:
        """No answer came, or it broke off."""
        self._broke = True
        self._record.failed(error, self._clock.monotonic())
        if isinstance(error, TimedOut):
            self._window.failed(self._began, self._clock.monotonic())

    def finished(self, status: int) -> None:
        """The answer was dealt with: only a body that was not broken off is a success."""
        if self._broke:
            return
        self._record.finished(status)
        if not _is_too_much(status):
            self._window.ended(self._moved, self._clock.monotonic())


class Counted:
    """A Response whose bytes are counted and paced, and whose breaking off counts against its host."""

    def __init__(self, inner: Response, trip: Trip, pace: Pace) -> None:
        self._inner = inner
        self._trip = trip
        self._pace = pace

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._inner.status

    @property
    def request(self) -> Request:
        """What was asked."""
        return self._inner.request

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return self._inner.header(name)

    def header_all(self, name: str) -> list[str]:
        """Every value of a header."""
        return self._inner.header_all(name)

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, no faster than the bandwidth allows."""
        return self._pace.paced(self._counted()) if self._pace.buckets else self._counted()

    async def read(self, limit: int) -> bytes:
        """The whole body, if it is no longer than `limit`; it is small, and does not wait for the bandwidth."""
        try:
            body = await self._inner.read(limit)
        except NetworkError as error:
            self._trip.failed(error)
            raise
        self._trip.received(len(body))
        self._pace.spend(len(body))
        return body

    async def _counted(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner.chunks():
                self._trip.received(len(chunk))
                yield chunk
        except NetworkError as error:
            self._trip.failed(error)
            raise


def refuse_in_vain(record: HostRecord, request: Request) -> None:
    """Do not send what is known to be in vain.

    Law 5: who timed out at first contact, or has done nothing else for long, is not asked again in this run. A pull
    that the registry's budget has no room for is not tried.
    """
    if record.silent is not None:
        raise Silent(f"{record.host} {record.silent}; it is not asked again in this run", host=record.host)
    if is_pull(request) and record.pulls_are_spent:
        limit = f" of {record.pulls_limit}" if record.pulls_limit is not None else ""
        raise PullBudgetSpent(f"{record.host} has no pull left{limit}, by its own count", host=record.host)


def is_pull(request: Request) -> bool:
    """Whether it counts against a pull budget. Source: Docker Hub, "Pull usage": a GET of a manifest."""
    return request.method == "GET" and "/manifests/" in request.target


def _is_too_much(status: int) -> bool:
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
