"""Layer uploads: parts in sequence, none but the last under 5 MiB, and a session that ends with its first error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.sandbox.blobs import Bytes
from syncer.sandbox.ecr.failures import Failure

if TYPE_CHECKING:
    from syncer.sandbox.ecr.repository import Repository
    from syncer.sandbox.store import Upload

SMALLEST_PART = 5 * 1024 * 1024
PART_SIZE = 10 * 1024 * 1024  # what InitiateLayerUpload recommends
MOST_PARTS = 4200


def find(repository: Repository, upload_id: str) -> Upload:
    """The open session; raises UploadNotFoundException once it has ended, well or badly."""
    upload = repository.content.uploads.get(upload_id)
    if upload is None:
        raise Failure("UploadNotFoundException", f"The upload {_described(repository, upload_id)} does not exist")
    return upload


def expect_next(repository: Repository, upload: Upload, first: int) -> None:
    """Refuse a part that does not begin where the last one ended: a session cannot be rewound."""
    if first != len(upload.data):
        raise Failure(
            "InvalidLayerPartException",
            f"First byte of the layer part is {first} instead of {len(upload.data)}",
            registryId=repository.account,
            repositoryName=repository.name,
            uploadId=upload.ident,
            lastValidByteReceived=max(0, len(upload.data) - 1),
        )
    if len(upload.parts) >= MOST_PARTS:
        raise Failure("LimitExceededException", f"A layer may have at most {MOST_PARTS} parts")


def append(upload: Upload, part: bytes) -> None:
    """Add a part."""
    upload.data += part
    upload.parts.append(len(part))


def complete(repository: Repository, upload: Upload, digests: list[str]) -> str:
    """Store the layer under the one of `digests` that it has; the session ends whatever comes of it."""
    repository.content.uploads.pop(upload.ident, None)
    if not upload.data:
        described = _described(repository, upload.ident)
        text = f"The upload {described} cannot be completed because it does not have any parts"
        raise Failure("EmptyUploadException", text)
    if any(size < SMALLEST_PART for size in upload.parts[:-1]):
        raise Failure("LayerPartTooSmallException", "All layer parts except the last part should be at least 5MB")
    layer = Bytes(bytes(upload.data))
    if layer.digest not in digests:
        text = "None of the provided layer digests match the calculated layer digest"
        raise Failure("InvalidLayerException", text)
    if layer.digest in repository.content.blobs:
        text = f"The layer with digest '{layer.digest}' already exists in the repository with name '{repository.name}'"
        raise Failure("LayerAlreadyExistsException", text)
    return repository.content.put_blob(layer)


def _described(repository: Repository, upload_id: str) -> str:
    where = f"in the repository with name '{repository.name}' in registry with id '{repository.account}'"
    return f"with id '{upload_id}' {where}"
