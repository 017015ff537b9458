"""What is read from ECR: manifests with a digest header on HEAD only, blobs by redirect to a bucket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncer.sandbox.answers import Answer, answer, redirect, refusal
from syncer.sandbox.ecr.api.layers import readable

if TYPE_CHECKING:
    from syncer.sandbox.calls import Call
    from syncer.sandbox.ecr.region import Region
    from syncer.sandbox.ecr.registry import Registry
    from syncer.sandbox.v2 import Handlers

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Pulls:
    """The reading half of one registry."""

    def __init__(self, region: Region, registry: Registry) -> None:
        self._region = region
        self._registry = registry

    @property
    def handlers(self) -> Handlers:
        """By method and kind of path."""
        return {
            ("GET", "manifest"): self.manifest,
            ("HEAD", "manifest"): self.manifest,
            ("GET", "blob"): self.blob,
            ("HEAD", "blob"): self.blob_head,
        }

    async def manifest(self, call: Call) -> Answer:
        """A manifest as it was pushed; nothing is converted. Only HEAD says the digest."""
        repository = self._registry.repository(call.name)
        if not TAG.fullmatch(call.reference) and not DIGEST.fullmatch(call.reference):
            return refusal(400, "TAG_INVALID", f"invalid tag or digest: '{call.reference}'")
        image = repository.content.find(call.reference)
        if image is None:
            return refusal(404, "MANIFEST_UNKNOWN", "Requested image not found")
        repository.pulled_at[image.digest] = self._registry.clock.now()
        headers = {"Content-Type": image.media_type}
        if call.request.method == "HEAD":
            headers |= {"Docker-Content-Digest": image.digest, "Sizes": str(len(image.raw))}
        return answer(200, image.raw, headers)

    async def blob(self, call: Call) -> Answer:
        """A redirect to the bucket, for layers that an image refers to."""
        blob = readable(self._registry.repository(call.name), call.reference)
        return redirect(self._region.bucket.presigned(self._registry.account, blob))

    async def blob_head(self, call: Call) -> Answer:
        """Whether a layer is there, referred to or not."""
        blob = self._registry.repository(call.name).content.blobs.get(call.reference)
        if blob is None:
            return answer(404)
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": blob.digest}
        made = answer(200, b"", headers)
        made.headers["Content-Length"] = str(blob.size)
        return made
