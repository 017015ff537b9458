"""Servers on loopback that answer exactly the bytes they are told to, and record every byte they are sent."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.clock import SystemClock
from syncer.oci.names import Origin
from syncer.registry.client import Clients
from syncer.registry.http import Body, Request
from syncer.registry.surroundings import Deadlines, Surroundings
from syncer.settings.registries import Endpoint

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

QUICK = Deadlines(lookup=0.5, connect=1, head=0.5, stall=0.3, window=0.4, floor=1000)


@dataclass
class Asked:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    head: bytes
    body: bytes = b""


@dataclass
class Server:
    """A running server: where it is, and what it was sent."""

    origin: Origin
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    @property
    def received(self) -> bytes:
        """Everything that it was sent."""
        return b"".join(asked.head + asked.body for asked in self.asked)


def reply(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of an answer; `_` in a header's name stands for `-`."""
    fields = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def serving(answer: Callable[..., Any] | bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that answers with `answer` or `answer(asked)`, or lets `await answer(asked, writer)` do it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        tasks.add(asyncio.current_task())
        try:
            while True:
                await _respond(answer, await _read(reader, server), writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client has left, or the test is over
        finally:
            writer.close()

    tasks: set[Any] = set()
    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    server = Server(Origin("https" if tls else "http", "127.0.0.1", port))
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def listening(serve: Callable[..., Any]) -> AsyncIterator[Origin]:
    """A server that leaves everything to `serve(reader, writer)`."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has left, or the test is over
        finally:
            writer.transport.abort()

    tasks: set[Any] = set()
    listener = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        yield Origin("http", "127.0.0.1", listener.sockets[0].getsockname()[1])
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, server: Server) -> Asked:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    method, target, _ = first.split(" ")
    asked = Asked(method, target, headers, head)
    server.asked.append(asked)
    if "content-length" in headers:
        asked.body = await reader.readexactly(int(headers["content-length"]))
    return asked


async def _respond(answer: Any, asked: Asked, writer: asyncio.StreamWriter) -> None:
    if inspect.iscoroutinefunction(answer):
        await answer(asked, writer)
    else:
        writer.write(answer if isinstance(answer, bytes) else answer(asked))
    await writer.drain()
    if writer.is_closing():
        raise ConnectionResetError


@asynccontextmanager
async def clients(**surroundings: Any) -> AsyncIterator[Clients]:
    """The clients of a run on the real clock, with quick deadlines."""
    made = Clients(SystemClock(), Surroundings(**{"deadlines": QUICK, **surroundings}))
    try:
        yield made
    finally:
        await made.aclose()


async def fetch(made: Clients, origin: Origin, target: str = "/v2/", method: str = "GET", **request: Any) -> bytes:
    """The body of an answer from `origin`, asked anonymously."""
    async with made.client(Endpoint(origin)).send(Request(method, origin, target, **request)) as response:
        return await response.read(1_000_000)


def body_of(*chunks: bytes) -> Body:
    """A body that is sent in these pieces."""

    async def once() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return Body(sum(map(len, chunks)), once)
