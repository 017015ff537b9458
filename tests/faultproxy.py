"""A TCP proxy in front of a registry that does to chosen requests what bad networks and bad servers do.

It passes HTTP/1.1 on byte for byte, the client's `Host` included, so that a registry names the proxy in its Locations.
A `Rule` says which requests are hit (`match`, `after`, `times`, `chance`), in which direction, behind which byte of the
body, and with what. What fired is in `Proxy.fired`; every request, with its bytes, is in `Proxy.passed`.
"""

from __future__ import annotations

import asyncio
import fcntl
import random
import re
import socket
import struct
import termios
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

BEFORE = -1  # as `at`: instead of the answer, whose request the server has had in full
PIECE = 64 * 1024  # bytes that are passed on at once
_RESET = struct.pack("ii", 1, 0)
_GONE = (ConnectionError, asyncio.IncompleteReadError, OSError)


@dataclass
class Rule:
    """A fault, on the requests that match.

    `reset` and `close` end the connection behind byte `at`, `stall` passes nothing more on, `cut` leaves the length out
    of the head and then ends as if all had been sent, `corrupt` flips a bit of that byte, `throttle` passes `rate`
    bytes a second on from there, `inject` gives `answer` instead of the server's, which never hears of the request,
    `forget` takes the header `header` out of the request, `call` calls `then` before the server hears of it.
    """

    match: str  # a regular expression that occurs in "METHOD /path?query"
    does: str
    at: int = 0  # byte of the body, as it is on the wire
    up: bool = False  # the body that the client sends, not the one that it gets
    answer: bytes = b""
    forward: bool = False  # the server hears of the request all the same; only its answer is replaced
    rate: float = 1.0
    header: str = ""
    then: Callable[[], object] = lambda: None
    after: int = 0  # so many matching requests pass first
    times: int | None = 1  # so many are hit; None: all that follow
    chance: float = 1.0  # of being hit, by the proxy's seed
    seen: int = 0
    taken: int = 0  # requests that are to be hit, or were
    fired: int = 0  # how often it really happened

    def takes(self, drawn: float) -> bool:
        """Whether a matching request is hit; counts it."""
        if self.taken == self.times or drawn >= self.chance:
            return False
        self.seen += 1
        self.taken += self.seen > self.after
        return self.seen > self.after


@dataclass
class Passed:
    """A request that came, and what became of it."""

    method: str
    target: str
    began: float  # by the monotonic clock
    head: bytes = field(default=b"", repr=False)
    status: int = 0  # of the answer that the client got; 0: none
    up: int = 0  # bytes of body from the client
    down: int = 0  # bytes of body to the client
    hit: bool = False  # by a rule

    @property
    def line(self) -> str:
        """What rules match."""
        return f"{self.method} {self.target}"


@dataclass
class _Head:
    """The first lines of a message."""

    raw: bytes
    fields: dict[str, str]

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1])

    def without_length(self) -> bytes:
        """The same for a body that ends with the connection."""
        lines = self.raw.split(b"\r\n")
        kept = [line for line in lines if not re.match(rb"(?i)content-length:|transfer-encoding:|connection:", line)]
        return b"\r\n".join([kept[0], b"Connection: close", *kept[1:]])


class _Over(Exception):
    """This connection has come to its end, as a rule wanted it."""


class Proxy:
    """A running proxy: where it is, its rules, and what came by."""

    def __init__(self, upstream: str, seed: int = 0) -> None:
        self.rules: list[Rule] = []
        self.fired: list[tuple[str, str]] = []  # what was done, and to which request
        self.passed: list[Passed] = []
        self.connections = 0
        self.host = ""
        name, _, port = upstream.rpartition(":")
        self._upstream = (name, int(port))
        self._random = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, *rules: Rule) -> None:
        """Let these happen too; of several that match, the first acts."""
        self.rules += rules

    def counted(self, match: str) -> list[Passed]:
        """The requests that match."""
        return [each for each in self.passed if re.search(match, each.line)]

    # one connection

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on, until either side or a rule ends it."""
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            there = await asyncio.open_connection(*self._upstream)
        except OSError:
            _end(writer, reset=True)
            return
        try:
            while await self._exchange((reader, writer), there):
                pass
        except (_Over, asyncio.CancelledError, *_GONE):
            pass  # whoever is left learns it from the end of the connection
        finally:
            _end(there[1], reset=True)
            _end(writer, reset=False)
            self._tasks.discard(task)

    async def _exchange(self, here: _Pair, there: _Pair) -> bool:
        """One request and its answer; whether the connection can have another."""
        head = await _head(here[0])
        method, target, _ = head.raw.split(b" ", 2)
        request = Passed(method.decode(), target.decode(), time.monotonic(), head.raw)
        self.passed.append(request)
        rule = self._rule(request)
        if rule and rule.does == "inject" and not rule.forward:
            await _drained(_body(here[0], head, request), request)
            await self._answer(here[1], rule, request)
            return True
        there[1].write(await self._changed(head, rule, request))
        sending = asyncio.create_task(self._send(here, there, head, request, rule if rule and rule.up else None))
        try:
            answered = await self._receive(here, there, request, rule if rule and not rule.up else None, sending)
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, _Over, *_GONE):
                await sending
            if rule and rule.fired < rule.taken and not request.hit:
                rule.taken -= 1  # its body ended before the fault was due: the next one gets it
        return answered and sending.done() and not sending.cancelled()

    def _rule(self, request: Passed) -> Rule | None:
        matching = (rule for rule in self.rules if re.search(rule.match, request.line))
        return next((rule for rule in matching if rule.takes(self._random.random())), None)

    async def _changed(self, head: _Head, rule: Rule | None, request: Passed) -> bytes:
        """The head of a request as the server gets it, and what has to happen before that."""
        if rule and rule.does == "forget":
            kept = re.sub(rb"(?im)^" + rule.header.encode() + rb":.*\r\n", b"", head.raw)
            if kept != head.raw:
                self._note(rule, request)
            return kept
        if rule and rule.does == "call":
            self._note(rule, request)
            await asyncio.to_thread(rule.then)
        return head.raw

    def _note(self, rule: Rule, request: Passed) -> None:
        rule.fired += 1
        request.hit = True
        self.fired.append((rule.does, request.line))

    async def _answer(self, writer: asyncio.StreamWriter, rule: Rule, request: Passed) -> None:
        self._note(rule, request)
        request.status = int(rule.answer.split(b" ", 2)[1])
        head, _, body = rule.answer.partition(b"\r\n\r\n")
        body = b"" if request.method == "HEAD" else body
        request.down = len(body)
        writer.write(head + b"\r\n\r\n" + body)
        await writer.drain()

    async def _send(self, here: _Pair, there: _Pair, head: _Head, request: Passed, rule: Rule | None) -> None:
        async for data in _body(here[0], head, request):
            before, request.up = request.up, request.up + len(data)
            await self._pass(data, before, (there[1], here[1]), rule, request)
        await there[1].drain()

    async def _receive(
        self, here: _Pair, there: _Pair, request: Passed, rule: Rule | None, sending: asyncio.Task[None]
    ) -> bool:
        rule = None if rule and rule.does in ("forget", "call") else rule
        head = await self._answer_head(there[0], sending)
        while head.status < 200:
            here[1].write(head.raw)
            head = await self._answer_head(there[0], sending)
        if rule and rule.does == "inject":
            await _drained(_body(there[0], head, request, answer=True), request, count=False)
            await self._answer(here[1], rule, request)
            return True
        if rule and rule.at == BEFORE:
            await self._strike(rule, request, here[1])
        here[1].write(head.without_length() if rule and rule.does == "cut" else head.raw)
        request.status = head.status
        async for data in _body(there[0], head, request, answer=True):
            before, request.down = request.down, request.down + len(data)
            await self._pass(data, before, (here[1], here[1]), rule, request)
        await here[1].drain()
        return head.fields.get("connection", "").lower() != "close" and _has_end(head, request)

    async def _answer_head(self, reader: asyncio.StreamReader, sending: asyncio.Task[None]) -> _Head:
        """The head of the answer, unless sending the request comes to a bad end before it."""
        coming = asyncio.create_task(_head(reader))
        try:
            await asyncio.wait({coming, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not coming.done():
                sending.result()  # a rule may have ended it
            return await coming
        finally:
            coming.cancel()
            with suppress(asyncio.CancelledError, *_GONE):
                await coming

    async def _pass(self, data: bytes, before: int, ends: _Ends, rule: Rule | None, request: Passed) -> None:
        """Pass `data` on, whose first byte is byte `before` of its body, with what `rule` does there."""
        to, client = ends
        if rule is None or rule.does in ("forget", "call") or before + len(data) <= rule.at:
            await _written(data, to)
            return
        here = max(0, rule.at - before)
        if rule.does in ("throttle", "corrupt"):
            if before <= rule.at:
                self._note(rule, request)
                data = _flipped(data, here) if rule.does == "corrupt" else data
            await (_trickled(data, here, to, rule.rate) if rule.does == "throttle" else _written(data, to))
            return
        await _written(data[:here], to)
        if not rule.up:
            request.down = before + here
        await self._strike(rule, request, client)

    async def _strike(self, rule: Rule, request: Passed, client: asyncio.StreamWriter) -> None:
        """End or stop a connection."""
        self._note(rule, request)
        if rule.does == "stall":
            await asyncio.Event().wait()
        await _arrived(client)
        _end(client, reset=rule.does == "reset")
        raise _Over

    async def aclose(self) -> None:
        """End what still waits."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Ends = tuple[asyncio.StreamWriter, asyncio.StreamWriter]  # where bytes go, and the client


async def _arrived(writer: asyncio.StreamWriter) -> None:
    """Wait until all that was written is with the other side: a reset would throw away what is still on its way."""
    left = bytearray(4)
    for _ in range(200):
        fcntl.ioctl(writer.get_extra_info("socket").fileno(), termios.TIOCOUTQ, left)
        if not any(left) and not writer.transport.get_write_buffer_size():
            return
        await asyncio.sleep(0.005)


def _end(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    raw = writer.get_extra_info("socket")
    if reset and raw is not None:
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
    else:
        writer.close()


async def _head(reader: asyncio.StreamReader) -> _Head:
    first = await reader.readexactly(1)
    if not first.isalpha():  # whoever tries TLS first is told at once that nobody speaks it here
        raise ConnectionAbortedError
    raw = first + await reader.readuntil(b"\r\n\r\n")
    lines = raw.decode("latin-1").split("\r\n")[1:]
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    return _Head(raw, fields)


def _has_end(head: _Head, request: Passed) -> bool:
    """Whether the body of an answer ends before its connection."""
    bodiless = request.method == "HEAD" or head.status in (204, 304)
    return bodiless or "content-length" in head.fields or "chunked" in head.fields.get("transfer-encoding", "")


async def _body(
    reader: asyncio.StreamReader, head: _Head, request: Passed, *, answer: bool = False
) -> AsyncIterator[bytes]:
    """The bytes of a message behind its head, framing included."""
    if answer and (request.method == "HEAD" or head.status in (204, 304)):
        return
    if "chunked" in head.fields.get("transfer-encoding", ""):
        size = None
        while size != 0:
            line = await reader.readuntil(b"\r\n")
            yield line
            size = int(line.split(b";")[0], 16)
            async for data in _exactly(reader, size + 2):
                yield data
    elif "content-length" in head.fields:
        async for data in _exactly(reader, int(head.fields["content-length"])):
            yield data
    elif answer:
        while data := await reader.read(PIECE):
            yield data


async def _exactly(reader: asyncio.StreamReader, left: int) -> AsyncIterator[bytes]:
    while left:
        data = await reader.read(min(left, PIECE))
        if not data:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(data)
        yield data


async def _written(data: bytes, to: asyncio.StreamWriter) -> None:
    to.write(data)
    await to.drain()


async def _trickled(data: bytes, here: int, to: asyncio.StreamWriter, rate: float) -> None:
    """The bytes from `here` on at `rate` a second, those before it at once."""
    await _written(data[:here], to)
    step = max(1, int(rate / 20))
    for start in range(here, len(data), step):
        await _written(data[start : start + step], to)
        await asyncio.sleep(min(step, len(data) - start) / rate)


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


async def _drained(body: AsyncIterator[bytes], request: Passed, *, count: bool = True) -> None:
    async for data in body:
        request.up += len(data) if count else 0


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of an answer; `_` in a header's name stands for `-`."""
    fields = {"Content-Length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def before(upstream: str, *rules: Rule, seed: int = 0) -> Iterator[Proxy]:
    """A proxy before `upstream` (host and port), in a thread of its own."""
    proxy = Proxy(upstream, seed)
    proxy.add(*rules)
    ready, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=2 * PIECE, backlog=512)
        proxy.host = "127.0.0.1:" + str(listener.sockets[0].getsockname()[1])
        ready.set()
        await over.wait()
        listener.close()
        await proxy.aclose()

    def live() -> None:
        loop.run_until_complete(run())
        loop.run_until_complete(loop.shutdown_asyncgens())

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    try:
        assert ready.wait(10), "the proxy does not start"
        yield proxy
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()
