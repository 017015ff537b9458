"""Answers and clients without a network, for the rings above the wire."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from syncer.clock import SteppedClock
from syncer.oci.names import Origin
from syncer.registry.http import Request

ORIGIN = Origin("https", "registry.example", 443)


@dataclass
class Answer:
    """A Response from memory."""

    status: int = 200
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""
    request: Request = field(default_factory=lambda: Request("GET", ORIGIN, "/v2/"))
    failure: Exception | None = None

    def header(self, name):
        return next(iter(self.header_all(name)), None)

    def header_all(self, name):
        return self.headers.get(name.lower(), [])

    async def chunks(self):
        yield self.body
        if self.failure:
            raise self.failure

    async def read(self, _limit):
        return b"".join([chunk async for chunk in self.chunks()])


@dataclass
class Scripted:
    """A Client that hands every request to `answer`, and knows which answers are open."""

    answer: object
    sent: list[Request] = field(default_factory=list)
    open: int = 0
    most_open: int = 0

    @asynccontextmanager
    async def send(self, request):
        self.sent.append(request)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            answer = self.answer(request)
            answer = answer if isinstance(answer, Answer) else await answer
            answer.request = request
            yield answer
        finally:
            self.open -= 1

    async def aclose(self):
        self.open = 0


@pytest.fixture
def answer():
    """Makes a Response: status, body, and headers with `_` for `-`."""

    def make(status=200, body=b"", **headers):
        values = {name.replace("_", "-").lower(): v if isinstance(v, list) else [v] for name, v in headers.items()}
        return Answer(status, values, body)

    return make


@pytest.fixture
def scripted():
    """Makes a Client of a function from Request to Answer, or of one that returns an awaitable."""
    return Scripted


@pytest.fixture
def origin():
    return ORIGIN


@pytest.fixture
def clock():
    return SteppedClock()
