"""A request's body on its way: watched, so that a server that does not read is noticed, and blamed for itself only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from syncer.errors import Bug

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from syncer.registry.http import Body

_PIECE = 128 * 1024  # bytes: a chunk of 2 MiB in one piece would need 70 KB/s, more than one of 64 uploads may get
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


class Sending:
    """One sending of a body, or of none, which moves the deadline of the request's head as it goes on.

    While the server has to read, it has `stall` seconds per 128 KiB, which is 4 KiB/s; while our own source has to
    deliver, no time runs here, since the source has deadlines of its own; after the last byte the server has `head`
    seconds to answer.
    """

    def __init__(self, body: Body | None, *, head: float, stall: float) -> None:
        self._body = body
        self._head = head
        self._stall = stall
        self._timeout: asyncio.Timeout | None = None
        self.failure: Exception | None = None
        """What the body itself raised."""
        self.finished = body is None
        """Whether all of it was sent."""

    def watched_by(self, timeout: asyncio.Timeout, connecting: float) -> None:
        """Move the deadline of `timeout`; making a connection takes up to `connecting` seconds."""
        self._timeout = timeout
        self._allow((self._head if self._body is None else self._stall) + connecting)

    def connected(self) -> None:
        """There is a connection: the time for making it is over."""
        self._allow(self._head if self._body is None else self._stall)

    def unwatched(self) -> None:
        """The head has come, or never will: leave its deadline alone, though the body may still be on its way."""
        self._timeout = None

    def headers(self, method: str) -> dict[str, str]:
        """The length: with it aiohttp sends the body in one piece and never chunked."""
        if self._body is not None:
            return {"Content-Length": str(self._body.size)}
        return {"Content-Length": "0"} if method in _BODY_METHODS else {}

    def chunks(self) -> AsyncIterator[bytes | memoryview] | None:
        """The body to send, or None."""
        return self._watched(self._body) if self._body is not None else None

    async def _watched(self, body: Body) -> AsyncIterator[bytes | memoryview]:
        chunks = body.open()
        left = body.size
        try:
            self._allow(None)
            async for chunk in chunks:
                left -= len(chunk)
                for piece in _pieces(chunk):
                    self._allow(self._stall)
                    yield piece
                self._allow(None)
            _refuse_other_size(body.size, left)
            self.finished = True
            self._allow(self._head)
        except Exception as exc:
            self.failure = exc
            raise
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    def _allow(self, seconds: float | None) -> None:
        """From now on the request may take `seconds` more."""
        if self._timeout is None or self._timeout.expired():
            return
        when = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self._timeout.reschedule(when)


def _pieces(chunk: bytes) -> Iterator[bytes | memoryview]:
    if len(chunk) <= _PIECE:
        yield chunk
        return
    view = memoryview(chunk)
    for start in range(0, len(chunk), _PIECE):
        yield view[start : start + _PIECE]


def _refuse_other_size(size: int, left: int) -> None:
    if left:
        raise Bug(f"a body of {size} bytes was {abs(left)} bytes too {'short' if left > 0 else 'long'}")
