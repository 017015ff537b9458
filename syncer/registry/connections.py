"""The pooled connections of a run. aiohttp's conveniences are off, as `wire` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp

from syncer import __version__
from syncer.registry.addresses import public_socket
from syncer.registry.tls import Trust

if TYPE_CHECKING:
    from types import SimpleNamespace

    from syncer.registry.surroundings import Deadlines

_BUFFER = 1024 * 1024  # bytes that aiohttp reads ahead per response; small ones cost half the throughput


class Connections:
    """The pooled connections of a run: to configured hosts, and, guarded, to those that only a server named."""

    def __init__(self) -> None:
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self.trust = Trust()

    def session(self, *, guarded: bool) -> aiohttp.ClientSession:
        """The session to use, made when it is first needed: only then is there a loop."""
        if guarded not in self._sessions:
            self._sessions[guarded] = self._make(public_socket if guarded else None)
        return self._sessions[guarded]

    async def aclose(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _make(self, socket_factory: Any) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=0, ttl_dns_cache=60, socket_factory=socket_factory)
        session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),  # every request brings its own
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"syncer/{__version__}", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            raise_for_status=False,
            read_bufsize=_BUFFER,
            trace_configs=[_telling_when_connected()],
        )
        session._retry_connection = False  # noqa: SLF001 -- no public switch; a PUT must never be sent twice unseen
        return session


def _telling_when_connected() -> aiohttp.TraceConfig:
    """Tells each request's Sending when it has its connection: from then on only the server can be slow."""

    async def connected(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.connected()

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace


def connecting_within(deadlines: Deadlines) -> aiohttp.ClientTimeout:
    """The part of a request's time that is aiohttp's to watch."""
    most = deadlines.lookup + deadlines.connect
    return aiohttp.ClientTimeout(total=None, connect=most, sock_connect=deadlines.connect, sock_read=None)


class Connected(Exception):
    """There is a connection, and nothing is to be sent."""


def only_connecting(within: aiohttp.ClientTimeout) -> aiohttp.ClientMiddlewareType:
    """The middleware of a request that is never sent, and leaves its connection in the pool; always raises Connected.

    aiohttp has no other way to open a connection ahead.
    """

    async def connect(request: aiohttp.ClientRequest, _send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        connector = request.session.connector
        if connector is not None:
            (await connector.connect(request, [], within)).release()
        raise Connected

    return connect
