"""One HTTP server on an ephemeral port of 127.0.0.1, logged, and faulty when told so."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from syncer.sandbox.faults import DroppedError, Faults
from syncer.sandbox.log import BODY, Entry, Log

if TYPE_CHECKING:
    from typing import Self

    from syncer.sandbox.answers import Answer

# What a server does: it is given the request and the server's own base URL.
Handle = Callable[[web.Request, str], Awaitable["Answer"]]


class Server:
    """A handler at an address.

    `public` is the origin that it plays (`https://auth.docker.io`); URLs that it hands out begin with
    that. Without it they begin with its real address.
    """

    def __init__(self, name: str, handle: Handle, *, public: str | None = None, log: Log | None = None) -> None:
        self.name = name
        self.public = public
        self.handle = handle
        self.aliases: tuple[str, ...] = ()  # further origins that it plays
        self.log = log if log is not None else Log()
        self.faults = Faults()
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    @property
    def address(self) -> str:
        """Where it really is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Where it says it is."""
        return self.public or self.address

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
        await self._runner.setup()
        await self.resume()

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def refuse(self) -> None:
        """Refuse connections from now on, and close those that are open."""
        if self._runner is None or self._site is None:
            return
        await self._site.stop()
        self._site = None
        for connection in self._runner.server.connections if self._runner.server else ():
            connection.force_close()

    async def resume(self) -> None:
        """Listen again where it listened before."""
        if self._runner is None or self._site is not None:
            return
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await self._site.start()
        self._port = self._runner.addresses[0][1]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        entry = Entry(self.name, request.method, request.path, request.query_string, request.headers.copy())
        self.log.entries.append(entry)
        try:
            made = await self.faults.apply(request, self._handle)
            entry.form = request.get(BODY) or (await request.read() if request.content.at_eof() else b"")
            return await _send(request, made, entry)
        except DroppedError as exc:
            return _drop(request, gently=exc.gently)
        finally:
            entry.received = request.content.total_bytes

    async def _handle(self, request: web.Request) -> Answer:
        return await self.handle(request, self.url)


async def _send(request: web.Request, made: Answer, entry: Entry) -> web.StreamResponse:
    response = web.StreamResponse(status=made.status, headers=made.headers)
    entry.status = made.status
    await response.prepare(request)
    if request.method != "HEAD":
        async for piece in made.body:
            await response.write(piece)
            entry.sent += len(piece)
        await response.write_eof()
    return response


def _drop(request: web.Request, *, gently: bool) -> web.StreamResponse:
    """Close the connection, or reset it: lingering for 0 seconds makes close() send RST."""
    if request.transport is not None and gently:
        request.transport.close()
    elif request.transport is not None:
        raw = request.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()
