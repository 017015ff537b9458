"""The gate that every request passes (law 5): per (host, access) slots, then a rate; a closing time per host.

Slots outside, rate inside: asyncio-throttle polls, so at most as many poll as there are slots. How many slots there
are adapts (`adaptive`), small requests and blobs apart, up to the configured limit.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from asyncio_throttle.throttler import Throttler

from syncer.errors import NetworkError, TooManyRequests
from syncer.registry.adaptive import Slots, Window
from syncer.registry.bandwidth import Bandwidths, Paces
from syncer.registry.headers import retry_after, time_at
from syncer.registry.http import Access, Body
from syncer.registry.trip import Counted, Trip, refuse_in_vain
from syncer.settings.registries import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.clock import Clock
    from syncer.oci.names import Origin
    from syncer.registry.hosts import HostRecord, Hosts
    from syncer.registry.http import Client, Request, Response
    from syncer.settings.bandwidth import Timetable

LONGEST_WAIT = 120.0  # seconds that requests wait in a closed gate; a host that asks for more is left alone
BULK_AT_FIRST = 8  # blobs pulled at once; more while that brings more. Pushes begin at the limit: reads wait for them
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
    """The slots and the rate of one host for one access; an eighth of the slots is kept free of blobs."""

    def __init__(self, limits: Limits, now: float, access: Access = Access.PULL) -> None:
        most = limits.in_flight
        blobs = max(1, most - max(1, most // 8))
        self.rate = rate_of(limits.per_second)
        self._all = asyncio.Semaphore(most)
        self._small = Slots(Window(most, most, now))
        self._bulk = Slots(Window(blobs, BULK_AT_FIRST if access is Access.PULL else blobs, now))

    @asynccontextmanager
    async def slot(self, *, bulk: bool) -> AsyncIterator[Window]:
        """A slot until the block ends, and the window that it is of."""
        slots = self._bulk if bulk else self._small
        async with slots.one(), self._all:
            yield slots.window


class Gates:
    """All gates of a run; two clients of one host share them."""

    def __init__(self, hosts: Hosts, clock: Clock, bandwidth: Timetable | None = None) -> None:
        self.hosts = hosts
        self.clock = clock
        self.bandwidths = Bandwidths(bandwidth, clock)
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
            self._gates[key] = Gate(self._limits.get(host, Limits()), self.clock.monotonic(), request.access)
        return self._gates[key]


class Throttled:
    """A Client whose requests pass the gate of their host; a slot is held until the response is closed.

    Its bodies keep `paces`, wherever redirects lead.
    """

    def __init__(self, inner: Client, gates: Gates, paces: Paces | None = None) -> None:
        self._inner = inner
        self._gates = gates
        self._paces = paces or Paces()

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[Response]:
        """The answer, once there is a slot, the host's closing time is over and the rate allows it."""
        record, gate = self._gates.hosts.of(request.origin.netloc), self._gates.of(request)
        record.load += 1
        try:
            async with gate.slot(bulk=request.bulk) as window, AsyncExitStack() as stack:
                await self._until_open(record)
                await gate.rate.acquire()
                refuse_in_vain(record, request)
                yield await self._answer(stack, request, Trip(request, record, window, self._gates.clock))
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

    async def _answer(self, stack: AsyncExitStack, request: Request, trip: Trip) -> Response:
        trip.begin()
        try:
            response = await stack.enter_async_context(self._inner.send(self._paced(request)))
        except NetworkError as error:
            trip.failed(error)
            raise
        finally:
            trip.head_is_over()
        trip.answered(response)
        self._close_if_asked(response)
        stack.callback(trip.finished, response.status)
        return Counted(response, trip, self._paces.received)

    def _paced(self, request: Request) -> Request:
        body, pace = request.body, self._paces.sent
        if body is None or not request.bulk or not pace.buckets:
            return request
        return replace(request, body=Body(body.size, lambda: pace.paced(body.open())))

    def _close_if_asked(self, response: Response) -> None:
        """429 and 503 with Retry-After close the gate for everyone, not just for the unlucky one."""
        record = self._gates.hosts.of(response.request.origin.netloc)
        if response.status in _SLOW_DOWN:
            now = time_at(response, self._gates.clock.now())
            wait = retry_after(response.header("Retry-After"), now)
            if wait is not None:
                record.closed_until = max(record.closed_until, self._gates.clock.monotonic() + wait)
