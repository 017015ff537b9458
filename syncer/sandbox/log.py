"""What every server of the sandbox was asked, so that tests can count requests and hunt for credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY = web.RequestKey("body", bytes)
"""Where a handler leaves the request's body for the log, if it has read the whole of it."""


@dataclass(slots=True)
class Entry:
    """One request; the fields with a default are filled as it is answered."""

    server: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    status: int = 0  # 0: no answer was begun
    received: int = 0  # bytes of the request's body
    sent: int = 0  # bytes of the answer's body
    form: bytes = b""  # the request's body where it was read as a whole: a form, an API call, a manifest

    @property
    def authorization(self) -> str | None:
        """The credential that came with it."""
        return self.headers.get("Authorization")

    def holds(self, text: str) -> bool:
        """Whether `text` occurs in what was sent to us."""
        said = (self.path, self.query, self.form.decode(errors="replace"), *self.headers.values())
        return any(text in part for part in said)


@dataclass(slots=True)
class Log:
    """All requests, in the order in which they came."""

    entries: list[Entry] = field(default_factory=list)

    def find(self, server: str = "", method: str = "", path: str = "") -> list[Entry]:
        """The requests to that server, with one of these methods ("PUT|POST"), whose path the regex `path` finds."""
        return [
            entry
            for entry in self.entries
            if server in ("", entry.server)
            and (not method or entry.method in method.split("|"))
            and re.search(path, entry.path)
        ]

    def count(self, server: str = "", method: str = "", path: str = "") -> int:
        """How many `find` finds."""
        return len(self.find(server, method, path))

    def holding(self, text: str) -> list[Entry]:
        """The requests in which `text` occurs."""
        return [entry for entry in self.entries if entry.holds(text)]

    def clear(self) -> None:
        """Forget all."""
        self.entries.clear()
