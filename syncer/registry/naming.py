"""How a manifest gets into a repository, and what is said there about its subject. One call is one attempt."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from syncer.errors import (
    CredentialError,
    LandedDiffers,
    ManifestRefused,
    NotFound,
    RepositoryMissing,
    RequestRefused,
    SyncerError,
    TagImmutable,
    TooManyRequests,
)
from syncer.oci.digest import Digest
from syncer.registry import answers
from syncer.registry.failures import failure, refusal_of
from syncer.registry.http import Body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.oci.manifest import Index, Manifest
    from syncer.oci.names import Tag
    from syncer.registry.failures import Refusal
    from syncer.registry.http import Client
    from syncer.registry.reading import Reader
    from syncer.registry.routes import Routes

_IMMUTABLE = frozenset({"TAG_INVALID", "TAG_IMMUTABLE"})
_CONTENT_MISSING = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "BLOB_UPLOAD_UNKNOWN"})


@dataclass(frozen=True, slots=True)
class Namer:
    """Stores manifests in one repository, under their digest or a tag."""

    client: Client
    routes: Routes
    host: str
    reader: Reader

    async def put(self, m: Manifest | Index, tag: Tag | None = None) -> bool:
        """Store the exact bytes of a manifest; whether the registry took note of its subject by itself.

        A PUT that fails may have been done: then what is there decides. Spec: distribution-spec 1.1, "Pushing
        Manifests" and "Pushing Manifests with Subject".
        """
        try:
            return await self._put(m, tag)
        except (CredentialError, TooManyRequests):
            raise
        except SyncerError as error:
            there = await self._there(tag or m.descriptor.digest, error)
            if there is not None and Digest.of(m.raw, there.algorithm) == there:
                return False
            if isinstance(error, TagImmutable):
                raise self._conflict(error, m, tag, there) from error
            raise

    async def _put(self, m: Manifest | Index, tag: Tag | None) -> bool:
        d = m.descriptor
        body = Body(len(m.raw), lambda: _whole(m.raw))
        async with self.client.send(self.routes.put_manifest(tag or d.digest, d.media_type, body)) as response:
            if response.status != HTTPStatus.CREATED:
                raise _refused(await refusal_of(response), self._shown(m, tag))
            other = answers.contradicts(response, d.digest)
            if other is not None:
                raise LandedDiffers(f"{self.host} stored {self._shown(m, tag)} as {other}", host=self.host)
            return response.header("OCI-Subject") is not None

    async def _there(self, name: Tag | Digest, error: SyncerError) -> Digest | None:
        """What `name` means after a PUT failed with `error`; None if it is not there or that cannot be known."""
        try:
            seen = await self.reader.present(name)
        except SyncerError as exc:
            error.add_note(f"and looking at what is there failed: {exc}")
            return None
        return seen.digest if seen else None

    def _conflict(self, error: TagImmutable, m: Manifest | Index, tag: Tag | None, there: Digest | None) -> SyncerError:
        if there is None:  # TAG_INVALID is also said of a tag that the registry does not like
            return ManifestRefused(error.message, host=self.host)
        here = m.descriptor.digest
        return TagImmutable(
            f"{self.routes.name}:{tag} is {there} at {self.host} and cannot become {here}", host=self.host
        )

    def _shown(self, m: Manifest | Index, tag: Tag | None) -> str:
        return f"{self.routes.name}:{tag}" if tag else f"{self.routes.name}@{m.descriptor.digest}"


def _refused(refusal: Refusal, what: str) -> SyncerError:
    """Why a manifest was not taken: the code in the body first, since registries differ in the status."""
    message, host = f"{what}: {refusal.says}", refusal.host
    if _IMMUTABLE & set(refusal.codes) or "immutable" in refusal.words.lower():
        return TagImmutable(message, host=host)
    if _CONTENT_MISSING & set(refusal.codes):
        return ManifestRefused(message, host=host)
    error = failure(refusal, what)
    if isinstance(error, NotFound):
        return RepositoryMissing(message, host=host)
    return ManifestRefused(message, host=host) if isinstance(error, RequestRefused) else error


async def _whole(raw: bytes) -> AsyncIterator[bytes]:
    yield raw
