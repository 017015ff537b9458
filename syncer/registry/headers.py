"""Header fields, read strictly: what is not what the specification says is an error or unknown, never a guess."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from syncer.errors import ProtocolViolation
from syncer.oci.digest import Digest
from syncer.oci.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from syncer.registry.http import Response

_LINK = re.compile(r"""[\s,]*(?:<([^<>"\\\x00-\x20\x7f]+)>|([^<>"\\;,\s\x00-\x1f\x7f]+))""")
_PARAMETER = re.compile(
    r"""\s*;\s*([A-Za-z0-9_-]+\*?)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"\\;,]+)))?""",
)
_LINK_END = re.compile(r"\s*(?:,|$)")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_LENGTH = re.compile(r"[0-9]{1,18}")
_WARNING = re.compile(r'299 - "((?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*)"')
_ALLOWANCE = re.compile(r"([0-9]{1,9})(?:;w=([0-9]{1,9}))?")
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_UNIX_TIME = 1_000_000_000  # more than thirty years of seconds: Docker Hub's Retry-After is a moment, not a wait
_LONGEST_WARNING = 300  # characters


@dataclass(frozen=True, slots=True)
class Link:
    """One link: where it leads, and its parameters with lowercase names."""

    target: str
    params: Mapping[str, str]


def links(values: Sequence[str]) -> Iterator[Link]:
    """Every link of the `Link` fields `values`; ValueError where one is malformed. Spec: RFC 8288, 3."""
    for value in values:
        position, text = 0, value.rstrip(" \t\r\n,")
        while position < len(text):
            match = _LINK.match(text, position)
            if not match:
                raise ValueError(f"the Link header {shown(value)} is malformed")
            params, position = _parameters(text, match.end())
            yield Link(match[1] or match[2], params)


def _parameters(text: str, position: int) -> tuple[dict[str, str], int]:
    """The parameters that begin at `position`, and where the next link begins; the first of a name counts."""
    params: dict[str, str] = {}
    while match := _PARAMETER.match(text, position):
        name, quoted, bare = match.groups()
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare or ""
        params.setdefault(name.lower(), value)
        position = match.end()
    end = _LINK_END.match(text, position)
    if not end:
        raise ValueError(f"the Link header {shown(text)} is malformed")
    return params, end.end()


def next_link(response: Response) -> str | None:
    """Where `response` says that its next page is, as it says it, or None if it is the last.

    Raises ProtocolViolation for a malformed header. Spec: distribution-spec 1.1, "Listing Tags".
    """
    host = response.request.origin.netloc
    try:
        found = list(links(response.header_all("Link")))
    except ValueError as exc:
        raise ProtocolViolation(f"{host}: {exc}", host=host) from exc
    return next((link.target for link in found if "next" in link.params.get("rel", "").lower().split()), None)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Which bytes of how many a 206 holds; both ends count."""

    first: int
    last: int
    size: int | None


def content_range(response: Response) -> ContentRange | None:
    """What part a 206 holds; None if it does not say so in one well-formed header. Spec: RFC 9110, 14.4."""
    values = response.header_all("Content-Range")
    match = _CONTENT_RANGE.fullmatch(values[0]) if len(values) == 1 else None
    if not match:
        return None
    first, last = int(match[1]), int(match[2])
    size = None if match[3] == "*" else int(match[3])
    if first > last or (size is not None and last >= size):
        return None
    return ContentRange(first, last, size)


def content_length(response: Response) -> int | None:
    """How many bytes the body has; None if that is absent, doubled or no number."""
    values = response.header_all("Content-Length")
    return int(values[0]) if len(values) == 1 and _LENGTH.fullmatch(values[0]) else None


def content_digest(response: Response) -> Digest | None:
    """The digest that the registry claims for what it sends; None if that is absent or no digest."""
    try:
        return Digest.parse(response.header("Docker-Content-Digest") or "")
    except ValueError:
        return None


def time_at(response: Response, ours: datetime) -> datetime:
    """What time it is where `response` comes from: its other moments are by that clock, and `ours` may be hours off.

    Spec: RFC 9110, section 6.6.1.
    """
    try:
        return parsedate_to_datetime(response.header("Date") or "")
    except (ValueError, OverflowError):
        return ours


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait: `Retry-After` is seconds, an HTTP date or (Docker Hub) a unix time; garbage is ignored."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
        return max(0.0, seconds - now.timestamp()) if seconds > _UNIX_TIME else seconds
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)  # HTTP knows no other zone, and ours is not the server's
    return max(0.0, (moment - now).total_seconds())


def warning(value: str) -> str:
    """The text that a registry's `Warning` wants shown, or nothing. Spec: distribution-spec 1.1, "Warnings"."""
    text = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    match = _WARNING.fullmatch(text)
    return re.sub(r"\\(.)", r"\1", match[1])[:_LONGEST_WARNING] if match else ""


def allowance(value: str | None) -> tuple[int, int | None] | None:
    """(N, S) of `N;w=S`: N pulls in S seconds, as Docker Hub counts them; None where it is absent or malformed."""
    match = _ALLOWANCE.fullmatch((value or "").strip())
    return (int(match[1]), int(match[2]) if match[2] else None) if match else None
