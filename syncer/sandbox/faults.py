"""Faults are switches: which requests are hit, and what happens to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from syncer.sandbox.answers import Answer

    Proceed = Callable[[web.Request], Awaitable[Answer]]
    Action = Callable[[web.Request, Proceed], Awaitable[Answer]]


class DroppedError(Exception):
    """The connection ends here: reset, or closed when `gently`."""

    def __init__(self, *, gently: bool = False) -> None:
        super().__init__()
        self.gently = gently


def _any(_request: web.Request) -> bool:
    return True


@dataclass(slots=True)
class Fault:
    """An action on the requests that match; `fired` counts those that it hit.

    `Fault(reply(429), method="PUT", after=2, times=1)`: the third PUT is answered with 429.
    """

    action: Action
    method: str = ""  # such as "PUT|POST"; empty: every method
    path: str = ""  # a regular expression that occurs in the path
    when: Callable[[web.Request], bool] = _any
    after: int = 0  # so many matching requests pass first
    times: int | None = None  # so many are hit; None: all that follow
    seen: int = 0
    fired: int = 0

    def takes(self, request: web.Request) -> bool:
        """Whether this request is hit; counts it."""
        if self.method and request.method not in self.method.split("|"):
            return False
        if not re.search(self.path, request.path) or not self.when(request):
            return False
        self.seen += 1
        if self.seen <= self.after or self.fired == self.times:
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class Faults:
    """The faults of one server; the first that takes a request acts."""

    rules: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on."""
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        """Switch all off."""
        self.rules.clear()

    async def apply(self, request: web.Request, proceed: Proceed) -> Answer:
        """Answer the request, faultily if it is hit."""
        for fault in self.rules:
            if fault.takes(request):
                return await fault.action(request, proceed)
        return await proceed(request)
