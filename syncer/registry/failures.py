"""What an answer that is not the hoped-for one means: status, error envelope and headers as one of our errors."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from syncer.errors import (
    Denied,
    NetworkError,
    NotFound,
    ProtocolViolation,
    PullBudgetSpent,
    RedirectRefused,
    RequestRefused,
    ServerError,
    SyncerError,
    TimedOut,
    TooManyRequests,
    Unauthorized,
)
from syncer.registry.headers import retry_after, time_at

if TYPE_CHECKING:
    from syncer.registry.http import Request, Response

LONGEST_BODY = 64 * 1024  # bytes of an error's body that are read
_LONGEST_TEXT = 300  # characters of it that are shown
_MOST_ERRORS = 5  # of an envelope
_MISSING = "; it does not exist there, or is private"
_SLOW_DOWN = (HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_KINDS: dict[int, type[SyncerError]] = {
    HTTPStatus.FORBIDDEN: Denied,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.REQUEST_TIMEOUT: TimedOut,
    HTTPStatus.GONE: NotFound,
}
_CLASSES: dict[int, type[SyncerError]] = {3: RedirectRefused, 4: RequestRefused, 5: ServerError}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that refuses, with what the registry says about it."""

    status: int
    host: str
    codes: tuple[str, ...] = ()  # of the error envelope: "MANIFEST_UNKNOWN"
    words: str = ""  # one line, safe to print
    retry_after: float | None = None  # seconds
    insufficient_scope: bool = False  # the token is good, but not for this

    @property
    def says(self) -> str:
        """The answer as the second half of a sentence."""
        return f"{self.host} answers {self.status}" + (f": {self.words}" if self.words else "")


async def failure_of(response: Response, what: str) -> SyncerError:
    """The error that `response`, which is not the hoped-for one, means; `what` was being done: "nginx:1.27"."""
    return failure(await refusal_of(response), what)


async def refusal_of(response: Response, now: datetime | None = None) -> Refusal:
    """What `response` says, at most 64 KiB of it; a body that cannot be read says nothing."""
    codes, words = read_words(_without_credential(await body_of(response), response.request))
    return Refusal(
        status=response.status,
        host=response.request.origin.netloc,
        codes=codes,
        words=words,
        retry_after=retry_after(response.header("Retry-After"), time_at(response, now or datetime.now(UTC))),
        insufficient_scope="insufficient_scope" in (response.header("WWW-Authenticate") or ""),
    )


def failure(refusal: Refusal, what: str) -> SyncerError:
    """The error that `refusal` means."""
    message, host, status = f"{what}: {refusal.says}", refusal.host, refusal.status
    if status == HTTPStatus.UNAUTHORIZED:
        return Unauthorized(message + (_MISSING if refusal.insufficient_scope else ""), host=host)
    if status in _SLOW_DOWN:
        spent = "pull rate limit" in refusal.words.lower()
        return (PullBudgetSpent if spent else TooManyRequests)(message, host=host, retry_after=refusal.retry_after)
    kind = _KINDS.get(status) or _CLASSES.get(status // 100, ProtocolViolation)
    return kind(message, host=host)


async def body_of(response: Response) -> bytes:
    """The body of an error, at most 64 KiB of it; nothing where it is longer or breaks off."""
    try:
        return await response.read(LONGEST_BODY)
    except NetworkError:
        return b""  # the status is the message; how its explanation broke is not


def _without_credential(body: bytes, request: Request) -> bytes:
    """`body` without what `request` was sent with: some servers repeat it, and messages are printed and kept."""
    kind, _, sent = request.headers.get("Authorization", "").encode().partition(b" ")
    secrets = [sent, b64decode(sent).partition(b":")[2]] if kind.lower() == b"basic" else [sent]
    for secret in filter(None, secrets):
        body = body.replace(secret, b"***")
    return body


def read_words(body: bytes) -> tuple[tuple[str, ...], str]:
    """The codes and the text of an error body, be it the envelope, plain text or a page.

    Spec: distribution-spec 1.1, "Error Codes".
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        listed = json.loads(text)["errors"][:_MOST_ERRORS]
        errors = [(_text(error, "code"), _text(error, "message")) for error in listed]
    except (ValueError, TypeError, KeyError, RecursionError):
        return (), _page(text)
    codes = tuple(code for code, _ in errors if code)
    return codes, one_line("; ".join(": ".join(filter(None, error)) for error in errors if any(error)))


def _text(error: Any, key: str) -> str:
    value = error[key] if isinstance(error, dict) and key in error else ""
    return value if isinstance(value, str) else str(value)


def _page(text: str) -> str:
    """The text of a body that is no envelope; of a page only that it is one."""
    start = text[:200].lstrip().lower()
    return "an HTML page" if start.startswith(("<!doctype html", "<html")) else one_line(text)


def one_line(text: str) -> str:
    """`text` on one line, of bounded length, without anything that a terminal would obey."""
    flat = " ".join(text[: 4 * _LONGEST_TEXT].split())
    safe = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in flat)
    return safe if len(safe) <= _LONGEST_TEXT else f"{safe[: _LONGEST_TEXT - 1]}…"
