"""A link with a round trip and a bandwidth per connection: a TCP proxy, since not every kernel has netem.

`python -m bench.shaper HOST:PORT` prints the port it listens on. Every line on its stdin is a JSON object of settings
for connections made from then on (`delay`: seconds one way; `rate`: bytes per second, each way, per connection);
every line is answered with what it has carried so far.

A delay is a pipe, not a pause: bytes leave `delay` after they came, however many follow them. A connection costs a
round trip before its first byte counts, as a handshake does.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections import deque
from dataclasses import dataclass
from typing import Any, cast

BUFFER = 256 * 1024  # bytes read at once where no rate is set
WINDOW = 32 * 1024 * 1024  # bytes on the way in one direction of one connection
SLICES = 200  # parts of a second's bytes that a limited connection is read in
CLOSE = b""  # behind the last bytes of a connection


@dataclass(slots=True)
class Link:
    """What a connection is like, and what all have carried."""

    delay: float = 0.0  # seconds, one way
    rate: float | None = None  # bytes per second, each way, per connection
    connections: int = 0
    up: int = 0  # bytes from clients
    down: int = 0  # bytes to clients

    @property
    def window(self) -> int:
        """Bytes that may be on their way: what the path holds twice, and no deep queue before a slow link."""
        return WINDOW if self.rate is None else int(max(64 * 1024, 4 * self.delay * self.rate))

    @property
    def buffer(self) -> int:
        """Bytes read at once."""
        return BUFFER if self.rate is None else max(4096, int(self.rate / SLICES))


class Pipe:
    """One direction of one connection."""

    def __init__(self, link: Link, opens: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._delay, self._rate, self._window = link.delay, link.rate, link.window
        self._opens = opens  # when the first byte may set out
        self._free = 0.0  # when the last byte so far has gone through the bottleneck
        self._queue: deque[tuple[float, bytes]] = deque()
        self._held = 0
        self._timer: asyncio.TimerHandle | None = None
        self._full = False
        self.reader: asyncio.Transport | None = None
        self.writer: asyncio.Transport | None = None

    def put(self, data: bytes) -> None:
        """Send `data` on its way; CLOSE ends the connection behind what is on its way."""
        due = max(self._loop.time(), self._opens) + self._delay
        if self._rate is not None:
            due = self._free = max(due, self._free) + len(data) / self._rate
        self._queue.append((due, data))
        self._held += len(data)
        if self._held > self._window and self.reader is not None:
            self.reader.pause_reading()
        self.flush()

    def flush(self) -> None:
        """Deliver what has arrived, and wake up for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.writer is None or self._full:
            return
        now = self._loop.time()
        while self._queue and self._queue[0][0] <= now and not self._full:
            self._deliver(self._queue.popleft()[1])
        if self._queue and not self._full:
            self._timer = self._loop.call_at(self._queue[0][0], self.flush)

    def hold(self, *, full: bool) -> None:
        """The receiver is full, or has room again."""
        self._full = full
        if not full:  # not at once: a transport that is closed while it says so would end twice
            self._loop.call_soon(self.flush)

    def _deliver(self, data: bytes) -> None:
        writer = cast("asyncio.Transport", self.writer)
        if data == CLOSE:
            writer.close()
            return
        self._held -= len(data)
        if not writer.is_closing():
            writer.write(data)
        if self._held <= self._window // 2 and self.reader is not None and not self.reader.is_closing():
            self.reader.resume_reading()


class End(asyncio.BufferedProtocol):
    """One end of a connection: what it reads goes into `out`, what it writes comes from `into`."""

    def __init__(self, link: Link, out: Pipe, into: Pipe, *, client: bool) -> None:
        self._link, self._client = link, client
        self._out, self._into = out, into
        self._view = memoryview(bytearray(link.buffer))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Become the end of both pipes."""
        made = cast("asyncio.Transport", transport)
        _tune(made, limited=self._link.rate is not None)
        self._out.reader = self._into.writer = made
        self._into.flush()

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where to read to."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Send on what was read."""
        if self._client:
            self._link.up += nbytes
        else:
            self._link.down += nbytes
        self._out.put(bytes(self._view[:nbytes]))

    def eof_received(self) -> bool:
        """Both directions end together: HTTP has no use for half a connection."""
        return False

    def connection_lost(self, _exc: Exception | None) -> None:
        """Tell the other end, when the news gets there."""
        self._out.put(CLOSE)

    def pause_writing(self) -> None:
        """What we write is not being read."""
        self._into.hold(full=True)

    def resume_writing(self) -> None:
        """There is room again."""
        self._into.hold(full=False)


def _tune(transport: asyncio.Transport, *, limited: bool) -> None:
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if limited:  # else the kernel's buffers would hide the bottleneck from the sender
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)


def accept(link: Link, host: str, port: int, connecting: set[asyncio.Task[None]]) -> End:
    """The client's end of a new connection; the server's end is on its way."""
    link.connections += 1
    now = asyncio.get_running_loop().time()
    up, down = Pipe(link, now + 2 * link.delay), Pipe(link, now)
    client = End(link, up, down, client=True)
    task = asyncio.create_task(_connect(lambda: End(link, down, up, client=False), host, port, down))
    connecting.add(task)
    task.add_done_callback(connecting.discard)
    return client


async def _connect(make: Any, host: str, port: int, down: Pipe) -> None:
    try:
        await asyncio.get_running_loop().create_connection(make, host, port)
    except OSError:
        down.put(CLOSE)


async def serve(host: str, port: int) -> None:
    """Listen, and obey stdin until it ends."""
    link, connecting = Link(), set[asyncio.Task[None]]()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: accept(link, host, port, connecting), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        wanted = json.loads(line)
        link.delay, link.rate = wanted.get("delay", link.delay), wanted.get("rate", link.rate)
        print(json.dumps({"connections": link.connections, "up": link.up, "down": link.down}), flush=True)
    server.close()


if __name__ == "__main__":
    name, _, number = sys.argv[1].rpartition(":")
    asyncio.run(serve(name, int(number)))
