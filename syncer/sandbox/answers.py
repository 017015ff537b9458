"""An HTTP answer as a value, so that a fault can alter it before it is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from syncer.sandbox.blobs import Blob


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


@dataclass(slots=True)
class Answer:
    """Status, headers and a body that is read once, as it is sent."""

    status: int
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    body: AsyncIterator[bytes] = field(default_factory=_nothing)


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with all its bytes at hand."""
    made = Answer(status, CIMultiDict(headers or {}), _once(body))
    if status not in (204, 304):
        made.headers["Content-Length"] = str(len(body))
    return made


def json_answer(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON."""
    return answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})


def text_answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in plain text."""
    return answer(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8", **(headers or {})})


def refusal(status: int, code: str, message: str, detail: Any = None) -> Answer:
    """An error in the envelope of the distribution specification."""
    error = {"code": code, "message": message} | ({} if detail is None else {"detail": detail})
    return json_answer(status, {"errors": [error]})


def redirect(location: str, status: int = 307) -> Answer:
    """Go there instead."""
    return answer(status, b"", {"Location": location})


def blob_answer(blob: Blob, wanted: str | None, headers: Mapping[str, str] | None = None) -> Answer:
    """A blob, or the part of it that a Range header asks for: 200, 206 or 416 (RFC 9110, 14.2)."""
    whole = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", **(headers or {})}
    span = _span(wanted, blob.size) if wanted else None
    if span is None:
        return _part(200, blob, (0, blob.size), whole)
    start, stop = span
    if start >= stop:
        return answer(416, b"", {"Content-Range": f"bytes */{blob.size}"})
    return _part(206, blob, span, {**whole, "Content-Range": f"bytes {start}-{stop - 1}/{blob.size}"})


def _part(status: int, blob: Blob, span: tuple[int, int], headers: Mapping[str, str]) -> Answer:
    made = Answer(status, CIMultiDict(headers), _pieces(blob, *span))
    made.headers["Content-Length"] = str(span[1] - span[0])
    return made


def _span(wanted: str, size: int) -> tuple[int, int] | None:
    """The half-open range that is meant; None for what is not one byte range, which is then ignored."""
    unit, _, text = wanted.partition("=")
    first, dash, last = text.strip().partition("-")
    if unit.strip() != "bytes" or not dash or not (first + last).isdecimal():
        return None
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


async def _once(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


async def _pieces(blob: Blob, start: int, stop: int) -> AsyncIterator[bytes]:
    for piece in blob.chunks(start, stop):
        yield piece
