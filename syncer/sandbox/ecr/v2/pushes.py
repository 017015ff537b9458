"""What is written to ECR: upload sessions with ECR's rules, mounts, manifests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncer.sandbox.answers import Answer, answer, refusal
from syncer.sandbox.ecr import uploads
from syncer.sandbox.ecr.failures import Failure
from syncer.sandbox.ecr.repository import Push
from syncer.sandbox.ecr.v2 import refusals
from syncer.sandbox.ecr.v2.pulls import DIGEST, TAG
from syncer.sandbox.faults import DroppedError

if TYPE_CHECKING:
    from syncer.sandbox.calls import Call
    from syncer.sandbox.ecr.region import Region
    from syncer.sandbox.ecr.registry import Registry
    from syncer.sandbox.ecr.repository import Repository
    from syncer.sandbox.store import Upload
    from syncer.sandbox.v2 import Handlers

CONTENT_RANGE = re.compile(r"(?:bytes )?(\d+)-(\d+)(?:/(?:\d+|\*))?")


class Pushes:
    """The writing half of one registry."""

    def __init__(self, region: Region, registry: Registry) -> None:
        self._region = region
        self._registry = registry

    @property
    def handlers(self) -> Handlers:
        """By method and kind of path."""
        return {
            ("POST", "uploads"): self.open,
            ("GET", "upload"): self.status,
            ("PATCH", "upload"): self.patch,
            ("PUT", "upload"): self.put,
            ("PUT", "manifest"): self.put_manifest,
        }

    async def open(self, call: Call) -> Answer:
        """A mount where it is granted, else a session; a body and `?digest=` are not looked at."""
        repository = self._registry.pushed_to(call.name)
        digest, source = call.query.get("mount", ""), call.query.get("from", "")
        if self._registry.can_mount(digest, source, repository):
            content = repository.content
            content.blobs[digest] = self._registry.repository(source).content.blobs[digest]
            return _stored(call, "blobs", digest)
        return _session(call, repository.content.open_upload(), 202)

    async def status(self, call: Call) -> Answer:
        """The session's Range, as stale as in the other answers."""
        return _session(call, uploads.find(self._registry.repository(call.name), call.reference), 204)

    async def patch(self, call: Call) -> Answer:
        """A part: answered with 201, and a Range that stays at the first one."""
        repository = self._registry.repository(call.name)
        upload = uploads.find(repository, call.reference)
        await self._receive(call, repository, upload)
        return _session(call, upload, 201)

    async def put(self, call: Call) -> Answer:
        """The last part, or the only one, or none; then the layer is complete. One that is there is as good."""
        repository = self._registry.repository(call.name)
        upload = uploads.find(repository, call.reference)
        digest = call.query.get("digest", "")
        await self._receive(call, repository, upload)
        try:
            uploads.complete(repository, upload, [digest])
        except Failure as exc:
            if exc.code != "LayerAlreadyExistsException":
                raise
        return _stored(call, "blobs", digest)

    async def put_manifest(self, call: Call) -> Answer:
        """An image by tag or by digest; the same image again is as good, unless its tag is immutable."""
        if not TAG.fullmatch(call.reference) and not DIGEST.fullmatch(call.reference):
            return refusal(400, "TAG_INVALID", f"invalid tag or digest: '{call.reference}'")
        named = {"digest" if ":" in call.reference else "tag": call.reference}
        push = Push(await call.request.content.read(-1), call.request.headers.get("Content-Type"), **named)
        switches = self._region.switches
        try:
            repository = self._registry.pushed_to(call.name)
            image, _ = repository.put(push, newer_text=switches.newer_immutable_text)
        except Failure as exc:
            return refusals.refused_manifest(exc, switches)
        made = _stored(call, "manifests", image.digest)
        if image.document.subject:
            made.headers["OCI-Subject"] = image.document.subject
        return made

    async def _receive(self, call: Call, repository: Repository, upload: Upload) -> None:
        """Take the request's body as a part; a body that breaks off ends the session."""
        written = call.request.headers.get("Content-Range")
        span = CONTENT_RANGE.fullmatch(written or "")
        if written is not None and span is None:
            raise Failure("InvalidLayerException", f"Invalid Content-Range '{written}'")
        uploads.expect_next(repository, upload, int(span[1]) if span else len(upload.data))
        del repository.content.uploads[upload.ident]
        part = await self._body(call)
        if span and int(span[2]) - int(span[1]) + 1 != len(part):
            raise Failure("InvalidLayerException", f"Content-Range '{written}' for {len(part)} bytes")
        repository.content.uploads[upload.ident] = upload
        if part:
            self._count_part(call)
            uploads.append(upload, part)

    async def _body(self, call: Call) -> bytes:
        part = bytearray()
        async for piece in call.request.content.iter_any():
            part += piece
            limit = self._region.switches.reset_upload_after
            if limit is not None and len(part) >= limit:
                self._region.switches.reset_upload_after = None
                raise DroppedError
        return bytes(part)

    def _count_part(self, call: Call) -> None:
        """A PUT with a body uses the budget of UploadLayerPart besides its own."""
        if call.request.method == "PUT":
            self._registry.throttle.take("UploadLayerPart")


def _session(call: Call, upload: Upload, status: int) -> Answer:
    first = upload.parts[0] if upload.parts else 0
    headers = {
        "Location": f"{call.url}/v2/{call.name}/blobs/uploads/{upload.ident}",
        "Docker-Upload-UUID": upload.ident,
        "Range": f"0-{max(0, first - 1)}",
    }
    return answer(status, b"", headers)


def _stored(call: Call, kind: str, digest: str) -> Answer:
    headers = {"Location": f"{call.url}/v2/{call.name}/{kind}/{digest}", "Docker-Content-Digest": digest}
    return answer(201, b"", headers)
