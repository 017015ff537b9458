"""The S3 bucket that layers are downloaded from: presigned URLs on a host of its own."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from syncer.sandbox.answers import Answer, answer, blob_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from syncer.clock import Clock
    from syncer.sandbox.blobs import Blob
    from syncer.sandbox.ecr.switches import Switches

TWO_MECHANISMS = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter,"
    " Signature query string parameter or the Authorization header should be specified"
)


@dataclass(frozen=True, slots=True)
class _Grant:
    blob: Blob
    path: str
    expires_at: datetime


class Bucket:
    """Hands out URLs and serves what they stand for, to whoever holds one and sends no Authorization."""

    def __init__(self, region: str, clock: Clock, switches: Switches) -> None:
        self.base: Callable[[], str] = str  # of its URLs: that of its server, whose port is not known yet
        self._region = region
        self._clock = clock
        self._switches = switches
        self._grants: dict[str, _Grant] = {}

    def presigned(self, account: str, blob: Blob) -> str:
        """A URL that lives as long as the switches say."""
        now, life = self._clock.now(), self._switches.url_life
        signature = secrets.token_hex(32)
        path = f"/{uuid.uuid5(uuid.NAMESPACE_URL, account)}/{uuid.uuid5(uuid.NAMESPACE_URL, blob.digest)}"
        self._grants[signature] = _Grant(blob, path, now + timedelta(seconds=life))
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"AKIASTARPORT/{now:%Y%m%d}/{self._region}/s3/aws4_request",
            "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
            "X-Amz-Expires": str(int(life)),
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Signature": signature,
        }
        return f"{self.base()}{path}?{urlencode(query)}"

    async def handle(self, request: web.Request, _url: str) -> Answer:
        """Serve a granted object, or say in XML why not."""
        if "Authorization" in request.headers:
            return _error(400, "InvalidArgument", TWO_MECHANISMS)
        grant = self._grants.get(request.query.get("X-Amz-Signature", ""))
        if grant is None:
            return _error(403, "AccessDenied", "Access Denied")
        if request.method != "GET" or request.path != grant.path:
            text = "The request signature we calculated does not match the signature you provided."
            return _error(403, "SignatureDoesNotMatch", text)
        if self._clock.now() >= grant.expires_at:
            return _error(403, "AccessDenied", "Request has expired")
        made = blob_answer(grant.blob, request.headers.get("Range"), {"Server": "AmazonS3"})
        if made.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _error(made.status, "InvalidRange", "The requested range is not satisfiable")
        return made


def _error(status: int, code: str, message: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return answer(status, body.encode(), {"Content-Type": "application/xml", "Server": "AmazonS3"})
