"""A repository of a registry that speaks the distribution API: a Target over `/v2/`. One call is one attempt."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from syncer.content.places import Resolution, Stream
from syncer.errors import CorruptContent, MirrorUnusable, NoHonestSource
from syncer.oci.digest import Digest
from syncer.oci.names import Tag
from syncer.oci.said import Said
from syncer.registry import paging
from syncer.registry.hosts import spare
from syncer.registry.naming import Namer
from syncer.registry.reading import Reader
from syncer.registry.referring import Referrers
from syncer.registry.routes import Routes
from syncer.registry.together import together
from syncer.registry.uploading import Uploader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from syncer.content.places import Content, Landed, Place
    from syncer.errors import SyncerError
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.manifest import Index, Manifest
    from syncer.registry.hosts import HostRecord
    from syncer.registry.http import Client
    from syncer.registry.kept import Kept
    from syncer.settings.registries import Endpoint

CHANCES = 2  # a host that is alone is asked once more after wrong bytes: the wire may have been at fault
_NO_CHUNKS: tuple[bytes, ...] = ()


class Repository:
    """One repository at one endpoint."""

    def __init__(
        self,
        place: Place,
        endpoint: Endpoint,
        client: Client,
        *,
        record: HostRecord,
        kept: Kept,
        chances: int = CHANCES,
    ) -> None:
        self.place = place
        self.host = endpoint.name
        self.record = record
        self._endpoint = endpoint
        self._client = client
        self._kept = kept
        self._chances = chances
        routes = Routes.at(endpoint, place.repository)
        self._routes = routes
        self._reader = Reader(client, routes, self.host, kept.manifests)
        self._uploader = Uploader(client, routes, self.host, kept.mounts, endpoint.upload_hosts)
        self._namer = Namer(client, routes, self.host, self._reader)
        self._referrers = Referrers(client, routes, self._reader, self._namer)

    @property
    def out(self) -> bool:
        """Whether it sent wrong bytes too often to be believed in this run."""
        return self._chances <= 0

    # Source

    @property
    def spare(self) -> int:
        """How many more streams could begin now without anybody having to wait."""
        return spare(self._endpoint.limits.in_flight, self.record.load)

    async def tags(self) -> list[Tag]:
        """Every tag, each once, in the registry's order."""
        requests = (self._routes.tags(), self._routes.tags(paged=False))
        what = f"the tags of {self._routes.name}"
        return await paging.entries_however_paged(self._client, requests, "tags", Tag.parse, what)

    async def resolve(self, name: Tag | Digest) -> Resolution:
        """What `name` means here, by HEAD if that says enough."""
        d = await self._reader.resolve(name)
        return Resolution(d, "digest" if isinstance(name, Digest) else "origin", (Said(self.host, d.digest),))

    async def manifest(self, d: Descriptor) -> Manifest | Index:
        """The manifest with exactly the digest of `d`."""
        self._refuse_if_out(d)
        try:
            return await self._reader.manifest(d)
        except CorruptContent as error:
            self.blame(self.host, error)
            raise

    @asynccontextmanager
    async def blob(
        self, d: Descriptor, start: int = 0, stop: int | None = None, avoid: frozenset[str] = frozenset()
    ) -> AsyncIterator[Stream]:
        """Bytes `start` to `stop` (exclusive) of a blob; MirrorUnusable if this host is to be avoided."""
        self._refuse_if_out(d)
        if self.host in avoid:
            raise MirrorUnusable(f"nobody but {self.host} has {d.digest}", host=self.host)
        if start and start >= d.size:  # nothing is left, and docker-registry's 416 never ends
            yield Stream(_nothing(), self.host, start)
            return
        async with self._reader.blob(d, start, stop) as (chunks, begin):
            yield Stream(chunks, self.host, begin)

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """The manifests whose subject is `digest`."""
        return await self._referrers.of(digest)

    def blame(self, host: str, error: SyncerError) -> None:  # noqa: ARG002 - there is only one host here
        """Wrong bytes came from `host`: it has one chance less, and the report names it when none is left."""
        self._chances -= 1
        if self.out:
            self.record.blamed = str(error)

    # Target

    async def current(self, tags: Sequence[Tag]) -> Mapping[Tag, Digest]:
        """What those of `tags` that exist mean now: one HEAD each, all at once as far as the gate lets them."""
        seen = await together([self._reader.present(tag) for tag in tags])
        return {tag: d.digest for tag, d in zip(tags, seen, strict=True) if d is not None}

    async def missing(self, blobs: Sequence[Descriptor]) -> list[Descriptor]:
        """Those of `blobs` that are not here: one HEAD each."""
        there = await together([self._uploader.has(blob) for blob in blobs])
        return [blob for blob, has in zip(blobs, there, strict=True) if not has]

    async def absent(self, manifests: Sequence[Descriptor]) -> list[Descriptor]:
        """Those of `manifests` that are not here: one HEAD each."""
        seen = await together([self._reader.present(manifest.digest) for manifest in manifests])
        return [manifest for manifest, d in zip(manifests, seen, strict=True) if d is None]

    async def put_blob(self, d: Descriptor, content: Content, mount_from: Sequence[Place] = ()) -> Landed:
        """Store a blob: mounted from the first of `mount_from` that is at this registry, else uploaded."""
        places = (place for place in mount_from if place.registry == self.place.registry)
        source = next((Routes.at(self._endpoint, place.repository) for place in places), None)
        return await self._uploader.put(d, content, source)

    async def put_manifest(self, m: Manifest | Index, tag: Tag | None = None) -> None:
        """Store a manifest, and have it listed with its subject."""
        noted = await self._namer.put(m, tag)
        if m.subject is not None and not noted:
            await self._referrers.note(m, m.subject.digest)

    def _refuse_if_out(self, d: Descriptor) -> None:
        if self.out:
            raise NoHonestSource(f"{self.host} sent wrong bytes, and nobody else has {d.digest}", host=self.host)


async def _nothing() -> AsyncIterator[bytes]:
    for chunk in _NO_CHUNKS:
        yield chunk
