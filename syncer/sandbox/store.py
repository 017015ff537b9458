"""What a registry holds: repositories with blobs, manifests, tags and open uploads. Memory only."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.sandbox.blobs import Bytes
from syncer.sandbox.documents import Document, digest_of, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from syncer.clock import Clock
    from syncer.sandbox.blobs import Blob


class MissingBlobsError(Exception):
    """A manifest names blobs that the repository lacks."""

    def __init__(self, digests: list[str]) -> None:
        super().__init__(f"blobs missing: {', '.join(digests)}")
        self.digests = digests


class MissingManifestsError(Exception):
    """An index names manifests that the repository lacks."""

    def __init__(self, digests: list[str]) -> None:
        super().__init__(f"manifests missing: {', '.join(digests)}")
        self.digests = digests


@dataclass(frozen=True, slots=True)
class Stored:
    """A manifest as it was put."""

    digest: str
    media_type: str
    raw: bytes
    pushed_at: datetime
    document: Document


@dataclass(slots=True)
class Upload:
    """An open upload session."""

    ident: str
    data: bytearray = field(default_factory=bytearray)
    parts: list[int] = field(default_factory=list)  # the length of each part, for those who care


@dataclass(slots=True)
class Repo:
    """One repository. Its dictionaries may be read and altered freely; the methods keep them consistent."""

    name: str
    clock: Clock
    blobs: dict[str, Blob] = field(default_factory=dict)
    manifests: dict[str, Stored] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    opened: int = 0  # upload sessions so far

    def put_blob(self, content: bytes | Blob) -> str:
        """Keep a blob, and return its digest."""
        blob = Bytes(content) if isinstance(content, bytes) else content
        self.blobs[blob.digest] = blob
        return blob.digest

    def commit(self, raw: bytes, media_type: str, tag: str | None = None) -> str:
        """Keep a manifest whose blobs and children are here, under `tag` too, and return its digest.

        Raises ValueError for a manifest that cannot be read, MissingBlobsError, MissingManifestsError.
        """
        document = read(raw, media_type)
        if blobs := [digest for digest in document.blobs if digest not in self.blobs]:
            raise MissingBlobsError(blobs)
        if children := [digest for digest in document.children if digest not in self.manifests]:
            raise MissingManifestsError(children)
        digest = digest_of(raw)
        self.manifests.setdefault(digest, Stored(digest, media_type, raw, self.clock.now(), document))
        if tag is not None:
            self.tags[tag] = digest
        return digest

    def find(self, reference: str) -> Stored | None:
        """The manifest of a tag or digest."""
        return self.manifests.get(self.tags.get(reference, reference))

    def delete_manifest(self, digest: str) -> None:
        """Forget a manifest and every tag on it."""
        del self.manifests[digest]
        self.tags = {tag: to for tag, to in self.tags.items() if to != digest}

    def is_referenced(self, digest: str) -> bool:
        """Whether a committed manifest names this blob."""
        return any(digest in stored.document.blobs for stored in self.manifests.values())

    def parents(self, digest: str) -> list[str]:
        """The digests of the indexes that have this manifest as a child."""
        return [stored.digest for stored in self.manifests.values() if digest in stored.document.children]

    def referrers(self, subject: str) -> list[dict[str, Any]]:
        """Descriptors of the manifests whose subject is this one (OCI 1.1, "Listing referrers")."""
        return [_referrer(stored) for stored in self.manifests.values() if stored.document.subject == subject]

    def open_upload(self) -> Upload:
        """A new upload session."""
        self.opened += 1
        ident = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name} {self.opened}"))
        return self.uploads.setdefault(ident, Upload(ident))


class Store:
    """Repositories by name."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.repositories: dict[str, Repo] = {}

    def create(self, name: str) -> Repo:
        """The repository of that name, made if it is not there."""
        return self.repositories.setdefault(name, Repo(name, self.clock))

    def find(self, name: str) -> Repo | None:
        """The repository of that name."""
        return self.repositories.get(name)

    def __getitem__(self, name: str) -> Repo:
        return self.repositories[name]

    def __contains__(self, name: str) -> bool:
        return name in self.repositories

    def __iter__(self) -> Iterator[Repo]:
        return iter(self.repositories.values())


def _referrer(stored: Stored) -> dict[str, Any]:
    document = stored.document
    described: dict[str, Any] = {
        "mediaType": stored.media_type,
        "digest": stored.digest,
        "size": len(stored.raw),
        "artifactType": document.artifact_type,
    }
    if annotations := document.content.get("annotations"):
        described["annotations"] = annotations
    return described
