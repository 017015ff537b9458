"""Operations on layers: what is there, uploads in parts, download URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from syncer.sandbox.ecr import uploads
from syncer.sandbox.ecr.failures import Failure, invalid
from syncer.sandbox.ecr.shapes import decoded

if TYPE_CHECKING:
    from syncer.sandbox.blobs import Blob
    from syncer.sandbox.ecr.api.asked import Asked
    from syncer.sandbox.ecr.repository import Repository

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def batch_check_layer_availability(asked: Asked) -> dict[str, Any]:
    """BatchCheckLayerAvailability: an absent layer is UNAVAILABLE; only a bad digest is a failure."""
    repository, digests = asked.repository, list(dict.fromkeys(asked.input["layerDigests"]))
    failures = [_bad_digest(digest) for digest in digests if not DIGEST.fullmatch(digest)]
    layers = [_availability(repository, digest) for digest in digests if DIGEST.fullmatch(digest)]
    return {"layers": layers, "failures": failures}


def get_download_url_for_layer(asked: Asked) -> dict[str, Any]:
    """GetDownloadUrlForLayer."""
    digest = asked.input["layerDigest"]
    url = asked.region.bucket.presigned(asked.account, readable(asked.repository, digest))
    return {"downloadUrl": url, "layerDigest": digest}


def readable(repository: Repository, digest: str) -> Blob:
    """The layer, if an image of the repository refers to it; others are there but cannot be read."""
    blob = repository.content.blobs.get(digest)
    if blob is None:
        text = f"The layer with digest '{digest}' does not exist in the repository with name '{repository.name}'"
        raise Failure("LayersNotFoundException", text)
    if not repository.content.is_referenced(digest):
        text = f"Layer with digest '{digest}' is not associated with an image and cannot be retrieved"
        raise Failure("LayerInaccessibleException", text)
    return blob


def initiate_layer_upload(asked: Asked) -> dict[str, Any]:
    """InitiateLayerUpload."""
    upload = asked.repository.content.open_upload()
    return {"uploadId": upload.ident, "partSize": uploads.PART_SIZE}


def upload_layer_part(asked: Asked) -> dict[str, Any]:
    """UploadLayerPart."""
    given, repository = asked.input, asked.repository
    first, last, part = given["partFirstByte"], given["partLastByte"], decoded(given["layerPartBlob"])
    upload = uploads.find(repository, given["uploadId"])
    if last - first + 1 != len(part):
        raise invalid("partLastByte", "The range of bytes must be as long as the part")
    uploads.expect_next(repository, upload, first)
    uploads.append(upload, part)
    return asked.place | {"uploadId": upload.ident, "lastByteReceived": last}


def complete_layer_upload(asked: Asked) -> dict[str, Any]:
    """CompleteLayerUpload."""
    upload = uploads.find(asked.repository, asked.input["uploadId"])
    digest = uploads.complete(asked.repository, upload, asked.input["layerDigests"])
    return asked.place | {"uploadId": upload.ident, "layerDigest": digest}


def _bad_digest(digest: str) -> dict[str, str]:
    if not digest:
        return {"layerDigest": digest, "failureCode": "MissingLayerDigest", "failureReason": "Layer digest is missing"}
    return {"layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": "Layer digest is malformed"}


def _availability(repository: Repository, digest: str) -> dict[str, Any]:
    blob = repository.content.blobs.get(digest)
    if blob is None:
        return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
    found = {"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": blob.size}
    media_type = repository.layer_type(digest)
    return found | {"mediaType": media_type} if media_type else found


OPERATIONS = {
    "BatchCheckLayerAvailability": batch_check_layer_availability,
    "GetDownloadUrlForLayer": get_download_url_for_layer,
    "InitiateLayerUpload": initiate_layer_upload,
    "UploadLayerPart": upload_layer_part,
    "CompleteLayerUpload": complete_layer_upload,
}
