"""An ECR repository: bytes over /v2/, questions by the hundred over the AWS API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from syncer.ecr.api import BATCH
from syncer.errors import CorruptAtTarget, ProtocolViolation, RepositoryMissing
from syncer.oci import media_types
from syncer.oci.digest import Digest
from syncer.oci.names import Tag
from syncer.registry.together import together

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from syncer.content.places import Content, Landed, Place, Resolution, Stream, Target
    from syncer.ecr.api import Api
    from syncer.errors import SyncerError
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.manifest import Index, Manifest

T = TypeVar("T")


class EcrRepository:
    """A Target that asks the API where /v2/ would cost a request per image or blob.

    Everything else is the repository over /v2/ that it wraps.
    """

    def __init__(self, over_http: Target, api: Api) -> None:
        self._http = over_http
        self._api = api
        self._name = str(over_http.place.repository)

    @property
    def place(self) -> Place:
        """Which repository this is."""
        return self._http.place

    @property
    def spare(self) -> int:
        """How many more streams could begin now without anybody having to wait."""
        return self._http.spare

    async def tags(self) -> list[Tag]:
        """Every tag, from ListImages; RepositoryMissing where there is no such repository."""
        return list(await self._sweep())

    async def resolve(self, name: Tag | Digest) -> Resolution:
        """What `name` means, by a HEAD over /v2/."""
        return await self._http.resolve(name)

    async def manifest(self, d: Descriptor) -> Manifest | Index:
        """The manifest `d`, over /v2/."""
        return await self._http.manifest(d)

    def blob(
        self, d: Descriptor, start: int = 0, stop: int | None = None, avoid: frozenset[str] = frozenset()
    ) -> AbstractAsyncContextManager[Stream]:
        """Bytes of a blob, which ECR redirects to S3."""
        return self._http.blob(d, start, stop, avoid)

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """The manifests whose subject is `digest`, by the referrers API that ECR serves."""
        return await self._http.referrers(digest)

    def blame(self, host: str, error: SyncerError) -> None:
        """`host` sent wrong bytes."""
        self._http.blame(host, error)

    async def current(self, tags: Sequence[Tag]) -> Mapping[Tag, Digest]:
        """What those of `tags` that exist mean, in one sweep: 1,000 rows a call.

        RepositoryMissing where the repository must be created first.
        """
        known = await self._sweep()
        return {tag: known[tag] for tag in tags if tag in known}

    async def missing(self, blobs: Sequence[Descriptor]) -> list[Descriptor]:
        """Those of `blobs` that are not here, a hundred a call; archived ones count as not here."""
        here: dict[Digest, int | None] = {}
        for answer in await self._batches(blobs, self._available):
            here.update(answer)
        for blob in blobs:
            if here.get(blob.digest) not in {None, blob.size}:
                told = f"{self.place} holds {blob.digest} with {here[blob.digest]} bytes, not {blob.size}"
                raise CorruptAtTarget(told, host=self._api.host)
        return [blob for blob in blobs if blob.digest not in here]

    async def absent(self, manifests: Sequence[Descriptor]) -> list[Descriptor]:
        """Those of `manifests` that are not here, a hundred a call."""
        here = frozenset[Digest]().union(*await self._batches(manifests, self._stored))
        return [manifest for manifest in manifests if manifest.digest not in here]

    async def put_blob(self, d: Descriptor, content: Content, mount_from: Sequence[Place] = ()) -> Landed:
        """Store a blob over /v2/; mounts are granted only where the account's BLOB_MOUNTING setting is on."""
        await self._api.turn("InitiateLayerUpload")
        await self._api.turn("CompleteLayerUpload")
        return await self._http.put_blob(d, content, mount_from)

    async def put_manifest(self, m: Manifest | Index, tag: Tag | None = None) -> None:
        """Store a manifest over /v2/, at the pace of PutImage: ten a second is ECR's real ceiling."""
        await self._api.turn("PutImage")
        await self._http.put_manifest(m, tag)

    async def _sweep(self) -> dict[Tag, Digest]:
        found: dict[Tag, Digest] = {}
        pages = self._api.pages("ListImages", "list_images", repositoryName=self._name, filter={"tagStatus": "TAGGED"})
        async for page in pages:
            found.update(_row(row, self._api.host) for row in page["imageIds"])
        return found

    async def _batches(
        self, items: Sequence[Descriptor], ask: Callable[[list[str]], Coroutine[Any, Any, T]]
    ) -> list[T]:
        digests = list(dict.fromkeys(str(item.digest) for item in items))
        parts = [digests[first : first + BATCH] for first in range(0, len(digests), BATCH)]
        return await together([ask(part) for part in parts])

    async def _available(self, digests: list[str]) -> dict[Digest, int | None]:
        answer = await self._asked(
            "BatchCheckLayerAvailability", "batch_check_layer_availability", layerDigests=digests
        )
        rows = [row for row in answer.get("layers", []) if row["layerAvailability"] == "AVAILABLE"]
        return {Digest.parse(row["layerDigest"]): row.get("layerSize") for row in rows}

    async def _stored(self, digests: list[str]) -> frozenset[Digest]:
        answer = await self._asked(
            "BatchGetImage",
            "batch_get_image",
            imageIds=[{"imageDigest": digest} for digest in digests],
            acceptedMediaTypes=list(media_types.ACCEPT),
        )
        return frozenset(Digest.parse(row["imageId"]["imageDigest"]) for row in answer.get("images", []))

    async def _asked(self, action: str, method: str, **parameters: Any) -> Mapping[str, Any]:
        try:
            return await self._api.of_repository(action, method, self._name, **parameters)
        except RepositoryMissing:
            return {}


def _row(row: Mapping[str, str], host: str) -> tuple[Tag, Digest]:
    try:
        return Tag(row["imageTag"]), Digest.parse(row["imageDigest"])
    except (KeyError, ValueError) as error:
        raise ProtocolViolation(
            f"ListImages at {host} names a tag or digest that cannot be: {row}", host=host
        ) from error
