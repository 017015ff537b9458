"""Where requests become bytes, and the border at which aiohttp's errors become ours.

aiohttp's conveniences are off, each for a measured reason: it would decompress what we hash, follow redirects with our
headers, re-encode signed URLs, send requests again after a reset, and kill every blob that takes longer than 300 s.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from syncer.errors import NetworkError, ProtocolViolation, RedirectRefused, TimedOut, TlsFailed, Unreachable
from syncer.registry.addresses import NotPublic, is_public
from syncer.registry.connections import Connected, connecting_within, only_connecting
from syncer.registry.http import Request
from syncer.registry.proxying import proxy_to
from syncer.registry.sending import Sending
from syncer.registry.surroundings import Deadlines
from syncer.registry.urls import is_target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from syncer.oci.names import Origin
    from syncer.registry.connections import Connections
    from syncer.registry.surroundings import Surroundings
    from syncer.settings.registries import Endpoint

_STATUSES = range(200, 600)
_IDENTITY = ("", "identity")
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
_PLAIN = "if that host has plain HTTP only and you trust the way to it, say so: `tls: {plain_http: true}`"


class Wire:
    """A Client that sends each request once, to where its origin lives, and waits no longer than its deadlines."""

    def __init__(self, endpoint: Endpoint, connections: Connections, around: Surroundings) -> None:
        self._endpoint = endpoint
        self._connections = connections
        self._around = around
        self._named = endpoint.named
        self._deadlines = around.deadlines or Deadlines.of(endpoint.timeouts)
        self._connecting = connecting_within(self._deadlines)
        if endpoint.tls.ca is not None:
            connections.trust.context(endpoint.tls.ca, verify=True)  # an unusable file is known before any request

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[WireResponse]:
        """The answer to `request`; a connection whose answer was not read to its end is closed."""
        deadlines = self._deadlines
        sending = Sending(request.body, head=deadlines.head * request.patience, stall=deadlines.stall)
        answer = await self._open(request, sending)
        try:
            yield WireResponse(answer, request, deadlines)
        finally:
            if answer.content.is_eof() and sending.finished:
                answer.release()
            else:
                answer.close()

    async def connect(self) -> None:
        """Have a connection to the endpoint ready for whoever asks first; that there is none is for them to meet."""
        unsent = Request("HEAD", self._endpoint.origin, "/v2/")
        sending = Sending(None, head=self._deadlines.head, stall=self._deadlines.stall)
        with suppress(Connected, aiohttp.ClientError, OSError, ValueError):
            await self._request(unsent, sending, (only_connecting(self._connecting),))

    async def aclose(self) -> None:
        """Nothing: the connections belong to the run."""

    async def _open(self, request: Request, sending: Sending) -> aiohttp.ClientResponse:
        """The head of the answer, or one of our errors."""
        if not is_target(request.target):
            raise ProtocolViolation(f"{request.origin} would be asked for a malformed path", host=request.origin.netloc)
        try:
            async with asyncio.timeout(None) as timeout:
                sending.watched_by(timeout, self._deadlines.lookup + self._deadlines.connect)
                answer = await self._request(request, sending)
                sending.unwatched()
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            if sending.failure is not None:
                raise sending.failure from None  # the cause: without it a corrupt source reads as a flaky target
            raise translated(exc, request) from _cause(exc)
        if answer.status not in _STATUSES:
            answer.close()
            raise ProtocolViolation(f"{_shown(request)} is answered with status {answer.status}", host=_host(request))
        return answer

    async def _request(
        self, request: Request, sending: Sending, middlewares: Sequence[aiohttp.ClientMiddlewareType] = ()
    ) -> aiohttp.ClientResponse:
        dialled = self._around.dial.get(request.origin, request.origin)
        headers = {"Host": request.origin.netloc, **request.headers, **sending.headers(request.method)}
        proxy = proxy_to(dialled, self._endpoint.proxy, self._around.environ)
        if proxy and dialled.scheme == "http":  # such a request goes to the proxy itself, not through a tunnel
            headers |= proxy.headers
        guarded = self._is_guarded(request.origin)
        if guarded and proxy:
            _refuse_private_text(request)
        return await self._connections.session(guarded=guarded and not proxy).request(
            request.method,
            URL(f"{dialled}{request.target}", encoded=True),
            headers=headers,
            data=sending.chunks(),
            allow_redirects=False,
            ssl=self._context(request.origin) if dialled.scheme == "https" else True,
            server_hostname=request.origin.host if dialled != request.origin else None,
            proxy=proxy.url if proxy else None,
            proxy_headers=proxy.headers if proxy else None,
            trace_request_ctx=sending,
            middlewares=middlewares,
            timeout=self._connecting,
        )

    def _context(self, origin: Origin) -> ssl.SSLContext:
        """`verify: false` is for the endpoint itself, not for where it sends us; its `ca` is trusted in both cases."""
        tls = self._endpoint.tls
        return self._connections.trust.context(tls.ca, verify=tls.verify or origin != self._endpoint.origin)

    def _is_guarded(self, origin: Origin) -> bool:
        """Whether only a server named `origin`: then it may not lead to a private address."""
        return origin not in self._named and origin not in self._around.configured and origin not in self._around.dial


class WireResponse:
    """The answer of a server, read within deadlines."""

    def __init__(self, answer: aiohttp.ClientResponse, request: Request, deadlines: Deadlines) -> None:
        self._answer = answer
        self._request = request
        self._deadlines = deadlines

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._answer.status

    @property
    def request(self) -> Request:
        """What was asked."""
        return self._request

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return self._answer.headers.get(name)

    def header_all(self, name: str) -> list[str]:
        """Every value of a header."""
        return self._answer.headers.getall(name, [])

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, in pieces of up to twice the read-ahead."""
        coding = (self.header("Content-Encoding") or "").strip().lower()
        if coding not in _IDENTITY:
            raise ProtocolViolation(f"{_shown(self._request)} is sent in a coding not asked for", host=self._host)
        waited, received, loop = 0.0, 0, asyncio.get_running_loop()
        while True:
            started = loop.time()
            chunk = await self._next()
            if not chunk:
                return
            waited, received = waited + loop.time() - started, received + len(chunk)
            yield chunk
            if waited >= self._deadlines.window:
                self._refuse_trickle(received, waited)
                waited, received = 0.0, 0

    async def read(self, limit: int) -> bytes:
        """The whole body; ProtocolViolation if it is longer than `limit` bytes."""
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > limit:
                message = f"{_shown(self._request)} is answered with more than {limit} bytes"
                raise ProtocolViolation(message, host=self._host)
        return bytes(body)

    @property
    def _host(self) -> str:
        return _host(self._request)

    async def _next(self) -> bytes:
        """The bytes that are there, or the next that come; none at the end."""
        try:
            async with asyncio.timeout(self._deadlines.stall):
                return await self._answer.content.readany()
        except TimeoutError as exc:
            message = f"{_shown(self._request)}: no byte came for {self._deadlines.stall:g} s"
            raise TimedOut(message, host=self._host) from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise translated(exc, self._request) from _cause(exc)

    def _refuse_trickle(self, received: int, waited: float) -> None:
        if received < self._deadlines.floor * waited:
            message = f"{_shown(self._request)}: only {received} bytes came in {waited:.0f} s"
            raise TimedOut(message, host=self._host)


_MEANINGS: tuple[tuple[type[Exception], type[NetworkError], str], ...] = (
    (TimeoutError, TimedOut, "{shown}: no answer in time"),
    (aiohttp.ServerTimeoutError, TimedOut, "{shown}: no answer in time"),
    (aiohttp.ClientConnectorCertificateError, TlsFailed, "{host}: its certificate is not trusted: {reason}"),
    (aiohttp.ClientConnectorSSLError, Unreachable, "{host}: TLS fails: {reason}"),
    (ssl.SSLError, Unreachable, "{host}: TLS fails: {reason}"),
    (aiohttp.ClientProxyConnectionError, Unreachable, "{host}: the proxy that leads there does not answer: {reason}"),
    (aiohttp.ClientHttpProxyError, Unreachable, "{host}: the proxy that leads there refuses: {reason}"),
    (aiohttp.ClientConnectorDNSError, Unreachable, "{host}: the name cannot be resolved"),
    (aiohttp.ClientConnectorError, Unreachable, "{host}: no connection: {reason}"),
    (aiohttp.ClientResponseError, ProtocolViolation, "{shown}: the answer is not HTTP"),
    (ValueError, ProtocolViolation, "{shown}: the request or its answer is malformed"),
    (Exception, Unreachable, "{shown}: the connection broke"),
)
"""What aiohttp raises, the special before the general, and what it is to us."""


def translated(exc: Exception, request: Request) -> NetworkError:
    """What went wrong, as one of our errors: with the host that was meant and no query, header or address of dial."""
    host, system = _host(request), getattr(exc, "os_error", None)
    if isinstance(system, NotPublic):
        return _private(request)
    if isinstance(system, ssl.SSLError) and system.reason in _NO_TLS:
        return TlsFailed(f"{host} does not speak TLS", host=host, hint=_PLAIN)
    kind, text = next((kind, text) for foreign, kind, text in _MEANINGS if isinstance(exc, foreign))
    message = text.format(shown=_shown(request), host=host, reason=_reason(exc))
    return kind(message, host=host, hint=_hint(exc, kind, request.origin))


def _hint(exc: Exception, kind: type[NetworkError], origin: Origin) -> str | None:
    """The next step where that is not the usual one: of hosts that are spoken to without TLS."""
    if origin.scheme == "https" or kind not in (Unreachable, ProtocolViolation):
        return None
    look = f"check the name, the route and the proxy from this machine: curl -v {origin}/v2/"
    if isinstance(exc, aiohttp.ClientConnectorError):
        return look
    return f"if that host speaks TLS, say so: `tls: {{plain_http: false}}`; else {look}"


def _cause(exc: Exception) -> BaseException | None:
    """What the system raised: aiohttp's own errors show whole URLs and request headers in their texts."""
    if isinstance(exc, (aiohttp.ClientError, ValueError)):
        return getattr(exc, "os_error", None) or getattr(exc, "certificate_error", None)
    return exc


def _reason(exc: Exception) -> str:
    """What the system says, without the address that was dialled."""
    if isinstance(exc, aiohttp.ClientHttpProxyError):
        return f"status {exc.status}"
    cause = getattr(exc, "os_error", None) or getattr(exc, "certificate_error", None) or exc
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and (cause.errno or 0) > 0:
        return os.strerror(cause.errno or 0)  # asyncio writes the address into the error's own text
    return str(getattr(cause, "verify_message", "") or getattr(cause, "strerror", "") or type(cause).__name__)


def _refuse_private_text(request: Request) -> None:
    """Behind a proxy the address is the proxy's business; what is written as one is still refused."""
    host = request.origin.host
    if (":" in host or host.replace(".", "").isdigit()) and not is_public(host):
        raise _private(request)


def _private(request: Request) -> RedirectRefused:
    host = _host(request)
    return RedirectRefused(f"a server names {host}, which leads to an address that is not public", host=host)


def _shown(request: Request) -> str:
    """The request for a message: a query may be a signature, an upload's state or a token."""
    return f"{request.method} {request.origin}{request.target.partition('?')[0]}"


def _host(request: Request) -> str:
    return request.origin.netloc
