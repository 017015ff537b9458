"""The host that blobs are redirected to: it knows signed URLs, and wants no credential."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from syncer.sandbox.answers import Answer, answer, blob_answer
from syncer.sandbox.documents import digest_of

if TYPE_CHECKING:
    from aiohttp import web

    from syncer.clock import Clock
    from syncer.sandbox.blobs import Blob


@dataclass(slots=True)
class Cdn:
    """Blobs by signed URL."""

    clock: Clock
    life: float = 1200.0  # seconds that a URL is good for
    signed: dict[str, tuple[Blob, float]] = field(default_factory=dict)  # signature -> blob, end by the monotonic clock

    def sign(self, blob: Blob) -> str:
        """A path and query that is good for one blob and a short time."""
        signature = digest_of(f"{blob.digest} {len(self.signed)}".encode())[7:]
        self.signed[signature] = (blob, self.clock.monotonic() + self.life)
        hexadecimal = blob.digest[7:]
        query = urlencode({"Expires": int(self.clock.now().timestamp() + self.life), "Signature": signature})
        return f"/registry-v2/docker/registry/v2/blobs/sha256/{hexadecimal[:2]}/{hexadecimal}/data?{query}"

    async def __call__(self, request: web.Request, _url: str) -> Answer:
        """Serve a signed URL, or a range of it."""
        if "Authorization" in request.headers:
            return _xml(400, "InvalidArgument", "Only one auth mechanism allowed")
        blob, end = self.signed.get(request.query.get("Signature", ""), (None, 0.0))
        if blob is None or f"/{blob.digest[7:]}/" not in request.path:
            return _xml(403, "SignatureDoesNotMatch", "The signature is not that of this URL")
        if self.clock.monotonic() >= end:
            return _xml(403, "AccessDenied", "Request has expired")
        return blob_answer(blob, request.headers.get("Range"))


def _xml(status: int, code: str, message: str) -> Answer:
    page = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return answer(status, page.encode(), {"Content-Type": "application/xml"})
