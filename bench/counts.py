"""What registries were asked and what they carried, counted at their end and not in whoever is measured."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

CREATED = 201
OURS = "syncer-bench"  # the rig's own User-Agent, never counted
LINE = re.compile(
    r'"(?P<method>[A-Z]+) (?P<url>\S+) HTTP/[\d.]+" (?P<status>\d{3}) (?P<size>\d+|-) "[^"]*" "(?P<agent>.*)"$'
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as an access log in Apache's combined form tells it."""

    method: str
    path: str
    query: dict[str, list[str]]
    status: int
    size: int  # bytes of the answer's body

    @property
    def good(self) -> bool:
        """Whether it was answered by what it asked for."""
        return self.status in {200, 201, 202, 204, 206}

    @property
    def uploaded(self) -> str | None:
        """The digest of the blob that this request completed at the registry."""
        done = self.method in {"PUT", "POST"} and "/blobs/uploads/" in self.path and self.status == CREATED
        return self.query["digest"][0] if done and "digest" in self.query else None

    @property
    def kind(self) -> str:
        """What sort of request it is, as the tables call it."""
        if self.path.rstrip("/") == "/v2":
            return "ping"
        for part, name in (("/manifests/", "manifest"), ("/blobs/uploads/", "upload"), ("/blobs/", "blob")):
            if part in self.path:
                mounted = name == "upload" and "mount" in self.query and self.status == CREATED
                return "mount" if mounted else f"{self.method} {name}"
        if "/referrers/" in self.path:
            return "referrers"
        last = self.path.rstrip("/").rpartition("/")[2]
        return {"list": "tags", "_catalog": "catalog", "token": "token"}.get(last, "other")


@dataclass(slots=True)
class Traffic:
    """What one or several registries saw."""

    requests: dict[str, int] = field(default_factory=dict)  # by kind
    failures: int = 0  # answers of 400 and above other than 404
    blob_bytes_out: int = 0  # of blobs, sent to whoever asked
    blob_bytes_in: int = 0  # of blobs whose upload was completed
    wire_in: int = 0  # everything the process read, by the kernel's count: heads, broken uploads, its own files too
    wire_out: int = 0  # everything it wrote, its storage too

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.requests.values())

    def add(self, other: Traffic) -> None:
        """Count another registry in."""
        self.requests = dict(Counter(self.requests) + Counter(other.requests))
        self.failures += other.failures
        self.blob_bytes_out += other.blob_bytes_out
        self.blob_bytes_in += other.blob_bytes_in
        self.wire_in += other.wire_in
        self.wire_out += other.wire_out


def parse(line: str) -> Asked | None:
    """A line of the log; None for the rig's own requests and whatever else stands there."""
    found = LINE.search(line)
    if found is None or found["agent"] == OURS:
        return None
    url = urlsplit(found["url"])
    size = 0 if found["size"] == "-" or found["method"] == "HEAD" else int(found["size"])
    return Asked(found["method"], url.path, parse_qs(url.query), int(found["status"]), size)


def count(lines: Iterable[str]) -> tuple[Traffic, list[str]]:
    """What the log says, and the digests of the blobs that were uploaded."""
    traffic, uploaded, kinds = Traffic(), list[str](), Counter[str]()
    for asked in filter(None, map(parse, lines)):
        kinds[asked.kind] += 1
        traffic.failures += asked.status >= 400 and asked.status != 404  # noqa: PLR2004 - HTTP's own numbers
        if asked.kind == "GET blob" and asked.good:
            traffic.blob_bytes_out += asked.size
        if asked.uploaded:
            uploaded.append(asked.uploaded)
    traffic.requests = dict(kinds)
    return traffic, uploaded
