"""The clients of a run, one per endpoint, over shared gates and connections.

Authenticated(Following(Throttled(Wire)))
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from syncer.registry.auth import Authenticated
from syncer.registry.connections import Connections
from syncer.registry.hosts import Hosts
from syncer.registry.redirects import Following
from syncer.registry.surroundings import Surroundings
from syncer.registry.throttle import Gates, Throttled
from syncer.registry.tokens import Tokens
from syncer.registry.wire import Wire

if TYPE_CHECKING:
    from syncer.clock import Clock
    from syncer.credentials.keychain import Keychain
    from syncer.registry.http import Client
    from syncer.settings.bandwidth import Timetable
    from syncer.settings.registries import Endpoint


class Clients:
    """Makes clients that share one record per host, one gate per host and access, and one pool of connections."""

    def __init__(self, clock: Clock, around: Surroundings | None = None, bandwidth: Timetable | None = None) -> None:
        self.hosts = Hosts(clock)
        self._clock = clock
        self._around = around or Surroundings()
        self._gates = Gates(self.hosts, clock, bandwidth)
        self._connections = Connections()

    def client(self, endpoint: Endpoint, keychain: Keychain | None = None) -> Client:
        """A client for `endpoint`; without a keychain it is anonymous there. Closing it closes nothing shared."""
        self._gates.limit(endpoint.origin, endpoint.limits)
        paces = self._gates.bandwidths.of(endpoint.name, endpoint.limits.bandwidth)
        gated = Throttled(Wire(endpoint, self._connections, self._around), self._gates, paces)
        tokens = Tokens(endpoint, keychain, gated, self._clock)
        return Authenticated(Following(gated), endpoint, keychain, tokens)

    async def connect(self, endpoint: Endpoint, count: int) -> None:
        """Have `count` connections to `endpoint` ready, but no more than it takes requests at a time."""
        wire = Wire(endpoint, self._connections, self._around)
        await asyncio.gather(*(wire.connect() for _ in range(min(count, endpoint.limits.in_flight))))

    async def aclose(self) -> None:
        """Close every connection; no client works after that."""
        await self._connections.aclose()
