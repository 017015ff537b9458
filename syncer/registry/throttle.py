"""The gate that every request passes (law 5): per (host, access) a pool of slots, then a rate; a closing time per host.

Slots outside, rate inside: asyncio-throttle polls, so at most as many poll as there are slots.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from asyncio_throttle.throttler import Throttler

from syncer.errors import NetworkError, Silent, TooManyRequests
from syncer.registry.headers import retry_after
from syncer.settings.registries import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.clock import Clock
    from syncer.oci.names import Origin
    from syncer.registry.hosts import HostRecord, Hosts
    from syncer.registry.http import Access, Client, Request, Response

LONGEST_WAIT = 120.0  # seconds that requests wait in a closed gate; a host that asks for more is left alone
_POLL = 0.05  # seconds between two looks of a waiter at the rate
_SLOW_DOWN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Rate(Protocol):
    """Lets so many through in so much time."""

    async def acquire(self) -> None:
        """Wait until one more may start."""


class Unlimited:
    """No rate."""

    async def acquire(self) -> None:
        """Go at once."""


def rate_of(per_second: float | None) -> Rate:
    """A rate of so many per second, also less than one; None: no limit."""
    if per_second is None:
        return Unlimited()
    count = max(1, int(per_second))
    return Throttler(rate_limit=count, period=count / per_second, retry_interval=_POLL)


class Gate:
    """The slots and the rate of one host for one access."""

    def __init__(self, limits: Limits) -> None:
        self._slots = asyncio.Semaphore(limits.in_flight)
        self._rate = rate_of(limits.per_second)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Rate]:
        """A slot until the block ends, and the rate to wait for inside."""
        async with self._slots:
            yield self._rate


class Gates:
    """All gates of a run; two clients of one host share them."""

    def __init__(self, hosts: Hosts, clock: Clock) -> None:
        self.hosts = hosts
        self.clock = clock
        self._limits: dict[str, Limits] = {}
        self._gates: dict[tuple[str, Access], Gate] = {}

    def limit(self, origin: Origin, limits: Limits) -> None:
        """Work the host of `origin` no harder than `limits`; where it was limited before, the stricter counts."""
        known = self._limits.get(origin.netloc, limits)
        rates = [rate for rate in (known.per_second, limits.per_second) if rate is not None]
        in_flight = min(known.in_flight, limits.in_flight)
        self._limits[origin.netloc] = Limits(in_flight, min(rates) if rates else None)

    def of(self, request: Request) -> Gate:
        """The gate that `request` passes."""
        host = request.origin.netloc
        key = (host, request.access)
        if key not in self._gates:
            self._gates[key] = Gate(self._limits.get(host, Limits()))
        return self._gates[key]


class Throttled:
    """A Client whose requests pass the gate of their host; a slot is held until the response is closed."""

    def __init__(self, inner: Client, gates: Gates) -> None:
        self._inner = inner
        self._gates = gates

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[Response]:
        """The answer, once there is a slot, the host's closing time is over and the rate allows it."""
        record = self._gates.hosts.of(request.origin.netloc)
        record.load += 1
        try:
            async with self._gates.of(request).slot() as rate, AsyncExitStack() as stack:
                await self._until_open(record)
                await rate.acquire()
                _refuse_silent(record)
                yield await self._answer(stack, request, record)
        finally:
            record.load -= 1

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._inner.aclose()

    async def _until_open(self, record: HostRecord) -> None:
        """Wait while the host has asked everyone to wait."""
        while (left := record.closed_until - self._gates.clock.monotonic()) > 0:
            if left > LONGEST_WAIT:
                message = f"{record.host} has asked not to be asked for another {left:.0f} s"
                raise TooManyRequests(message, host=record.host, retry_after=left)
            await self._gates.clock.sleep(left)

    async def _answer(self, stack: AsyncExitStack, request: Request, record: HostRecord) -> Response:
        record.requests += 1
        try:
            response = await stack.enter_async_context(self._inner.send(request))
        except NetworkError as error:
            record.failed(error, self._gates.clock.monotonic())
            raise
        record.saw(response)
        self._close_if_asked(response, record)
        counted = Counted(response, record, self._gates.clock)
        stack.callback(counted.finish)
        return counted

    def _close_if_asked(self, response: Response, record: HostRecord) -> None:
        """429 and 503 with Retry-After close the gate for everyone, not just for the unlucky one."""
        if response.status in _SLOW_DOWN:
            wait = retry_after(response.header("Retry-After"), self._gates.clock.now())
            if wait is not None:
                record.closed_until = max(record.closed_until, self._gates.clock.monotonic() + wait)


def _refuse_silent(record: HostRecord) -> None:
    """Law 5: who timed out at first contact, or has done nothing else for long, is not asked again in this run."""
    if record.silent is not None:
        raise Silent(f"{record.host} {record.silent}; it is not asked again in this run", host=record.host)


class Counted:
    """A Response whose bytes are counted for its host, and whose breaking off counts against it."""

    def __init__(self, inner: Response, record: HostRecord, clock: Clock) -> None:
        self._inner = inner
        self._record = record
        self._clock = clock
        self._broke = False

    def finish(self) -> None:
        """Tell the host's record how it went: only a body that was not broken off is a success."""
        if not self._broke:
            self._record.finished(self.status)

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

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        try:
            async for chunk in self._inner.chunks():
                self._record.received += len(chunk)
                yield chunk
        except NetworkError as error:
            self._fail(error)
            raise

    async def read(self, limit: int) -> bytes:
        """The whole body, if it is no longer than `limit`."""
        try:
            body = await self._inner.read(limit)
        except NetworkError as error:
            self._fail(error)
            raise
        self._record.received += len(body)
        return body

    def _fail(self, error: NetworkError) -> None:
        self._broke = True
        self._record.failed(error, self._clock.monotonic())
