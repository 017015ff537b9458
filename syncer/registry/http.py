"""Requests and responses as the rings of a client see them: a Client is anything that sends a Request.

Authenticated ─▶ Throttled ─▶ Wire
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from syncer.oci.origin import Origin


class Access(enum.Enum):
    """What a request does; pull and push have separate pools of slots."""

    PULL = "pull"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes to send: `size` of them, from a fresh iterator each time `open` is called."""

    size: int
    open: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request to one origin."""

    method: str
    origin: Origin
    target: str  # path and query, percent-encoded already: sent byte for byte
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold a credential
    body: Body | None = None
    access: Access = Access.PULL
    scope: str = ""  # token scope that it needs: "repository:library/nginx:pull"
    anonymous: bool = False  # never carries a credential (redirects, foreign hosts)
    patience: float = 1.0  # how many times the usual time the response's head may take
    bulk: bool = False  # moves a blob, so that it may take long: nothing small waits behind it

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.origin}{self.target}"


class Response(Protocol):
    """An answer whose body has not been read."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def request(self) -> Request:
        """What was asked."""

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""

    def header_all(self, name: str) -> list[str]:
        """Every value of a header."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""

    async def read(self, limit: int) -> bytes:
        """The whole body; ProtocolViolation if it is longer than `limit` bytes."""


class Client(Protocol):
    """Sends requests; what a ring adds is in its name."""

    def send(self, request: Request) -> AbstractAsyncContextManager[Response]:
        """The answer to `request`, whatever its status; NetworkError if there is none."""

    async def aclose(self) -> None:
        """Let go of connections."""
