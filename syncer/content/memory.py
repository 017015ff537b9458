"""A registry in memory: a full Target whose faults are switches, for tests and for trying things out.

It keeps the promises of a registry: content by digest, children before parents, tags last, mounts within itself. And it
can be told to break one of them: to fail, to lose, to alter or to cut off what it holds.
"""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.content.faults import Faults
from syncer.content.places import Landed, Place, Resolution, Stream, Traits
from syncer.errors import (
    CorruptContent,
    ManifestRefused,
    MirrorUnusable,
    NoHonestSource,
    NotFound,
    RepositoryMissing,
    SyncerError,
    TagImmutable,
    Unreachable,
    UploadRefused,
)
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.manifest import Index, Manifest, parse_manifest
from syncer.oci.rewrite import as_referrer
from syncer.oci.said import Said

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from syncer.content.places import Content
    from syncer.oci.names import RepositoryName, Tag

CHUNK = 64 * 1024  # bytes of a stream that are handed over at once
CHANCES = 2  # a lone host is asked once more after wrong bytes: the wire may have been at fault


@dataclass(frozen=True, slots=True)
class Bytes:
    """Content that is held in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    @property
    def early(self) -> bool:
        """It is here."""
        return True

    def open(self) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes, from the first."""
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[AsyncIterator[bytes]]:
        yield _pieces(self.data)


class MemoryRegistry:
    """A named collection of repositories in memory."""

    def __init__(self, identity: str = "memory.example", *, traits: Traits | None = None, mounts: bool = True) -> None:
        self.identity = identity
        self.traits = traits or Traits()
        self.mounts = mounts
        self.immutable = False  # whether tags stay where they are put
        self.must_prepare = False  # whether a repository has to be created before it can be pushed to, as at ECR
        self.held: dict[RepositoryName, MemoryTarget] = {}
        self.prepared: set[RepositoryName] = set()
        self.closed = False

    def source(self, name: RepositoryName) -> MemoryTarget:
        """The repository `name`, to read."""
        return self.target(name)

    def target(self, name: RepositoryName) -> MemoryTarget:
        """The repository `name`, to write; always the same object."""
        return self.held.setdefault(name, MemoryTarget(self, name))

    async def repositories(self) -> list[RepositoryName]:
        """Every repository that was created or holds something."""
        return sorted(self.prepared | {name for name, target in self.held.items() if target.exists})

    async def prepare(self, name: RepositoryName) -> bool:
        """Create `name`; whether it was not there before."""
        created = name not in await self.repositories()
        self.prepared.add(name)
        return created

    async def aclose(self) -> None:
        """There are no connections; remember that it was asked."""
        self.closed = True


class MemoryTarget:
    """One repository in memory: `blobs`, `manifests` and `named` are what it holds, `calls` what was asked of it."""

    def __init__(self, registry: MemoryRegistry, name: RepositoryName) -> None:
        self.registry = registry
        self.place = Place(registry.identity, name)
        self.host = registry.identity
        self.blobs: dict[Digest, bytes] = {}
        self.manifests: dict[Digest, Manifest | Index] = {}
        self.named: dict[Tag, Digest] = {}
        self.ranges = True  # whether it honours a range, or sends the blob from its start
        self.faults = Faults()
        self.calls: list[tuple[str, object]] = []
        self.blamed: list[tuple[str, SyncerError]] = []
        self.before: Callable[[str, object], Awaitable[None]] | None = None  # awaited before every call

    # what tests say about it

    @property
    def exists(self) -> bool:
        """Whether it was created or holds something."""
        return bool(self.blobs or self.manifests) or self.place.repository in self.registry.prepared

    def lends(self, digest: Digest) -> bool:
        """Whether other repositories may mount `digest` from here."""
        manifests = (manifest for manifest in self.manifests.values() if isinstance(manifest, Manifest))
        committed = self.registry.traits.mounts_uncommitted or any(
            digest in [d.digest for d in manifest.blobs] for manifest in manifests
        )
        return digest in self.blobs and committed

    def hold_blob(self, data: bytes, media_type: str = "application/octet-stream") -> Descriptor:
        """Have `data`, without anybody having pushed it."""
        digest = Digest.of(data)
        self.blobs[digest] = data
        return Descriptor(media_type, digest, len(data))

    def hold_manifest(self, raw: bytes, media_type: str | None = None, tag: Tag | None = None) -> Manifest | Index:
        """Have a manifest, and `tag` for it, whatever it points to."""
        manifest = parse_manifest(raw, media_type)
        self._keep(manifest, tag)
        return manifest

    def fail(self, verb: str, *errors: SyncerError) -> None:
        """Let the next calls of `verb` (`"put_blob"`) raise `errors`, one each."""
        self.faults.errors[verb].extend(errors)

    def corrupt(self, digest: Digest, times: int | None = None) -> None:
        """Send altered bytes for `digest`, `times` often or always."""
        self.faults.altered[digest] = times

    def cut(self, digest: Digest, *after: int) -> None:
        """Break the next streams of `digest`, one each after so many of the bytes that it would send."""
        self.faults.cuts.setdefault(digest, deque()).extend(after)

    def lose(self, digest: Digest) -> None:
        """Have `digest` no more; tags for it dangle."""
        self.blobs.pop(digest, None)
        self.manifests.pop(digest, None)

    def called(self, verb: str) -> list[object]:
        """What `verb` was asked about, call by call."""
        return [what for name, what in self.calls if name == verb]

    # Source

    @property
    def spare(self) -> int:
        """Memory is never busy."""
        return 64

    async def tags(self) -> list[Tag]:
        """Every tag."""
        await self._called("tags", None)
        if not self.exists:
            raise NotFound(f"{self.place} does not exist", host=self.host)
        return sorted(self.named)

    async def resolve(self, name: Tag | Digest) -> Resolution:
        """What `name` means here."""
        await self._called("resolve", name)
        digest = name if isinstance(name, Digest) else self.named.get(name)
        if digest is None or digest not in self.manifests:
            raise NotFound(f"{self.place} has no {name}", host=self.host)
        by = "digest" if isinstance(name, Digest) else "origin"
        return Resolution(self.manifests[digest].descriptor, by, (Said(self.host, digest),))

    async def manifest(self, d: Descriptor) -> Manifest | Index:
        """The manifest with the digest of `d`."""
        await self._called("manifest", d.digest)
        self._refuse_blamed(d)
        if d.digest not in self.manifests:
            raise NotFound(f"{self.place} has no manifest {d.digest}", host=self.host)
        manifest = self.manifests[d.digest]
        if self.faults.sent(d.digest, manifest.raw) == manifest.raw:
            return manifest
        error = CorruptContent(f"{self.host} sent other bytes than {d.digest}", host=self.host)
        self.blame(self.host, error)
        raise error

    @asynccontextmanager
    async def blob(
        self, d: Descriptor, start: int = 0, stop: int | None = None, avoid: frozenset[str] = frozenset()
    ) -> AsyncIterator[Stream]:
        """Bytes `start` to `stop` (exclusive) of a blob."""
        await self._called("blob", d.digest)
        self._refuse_blamed(d)
        if self.host in avoid:
            raise MirrorUnusable(f"no other host than {self.host} has {d.digest}", host=self.host)
        if d.digest not in self.blobs:
            raise NotFound(f"{self.place} has no blob {d.digest}", host=self.host)
        data = self.faults.sent(d.digest, self.blobs[d.digest])
        cut = self.faults.cut(d.digest)
        begin, end = (start, stop) if self.ranges else (0, None)
        yield Stream(self._chunks(data[begin:end], cut), self.host, begin)

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """The manifests whose subject is `digest`."""
        await self._called("referrers", digest)
        subjects = ((manifest, manifest.subject) for manifest in self.manifests.values())
        return [as_referrer(manifest) for manifest, subject in subjects if subject and subject.digest == digest]

    def blame(self, host: str, error: SyncerError) -> None:
        """Remember it; the second time it is the last."""
        self.blamed.append((host, error))

    # Target

    async def current(self, tags: Sequence[Tag]) -> Mapping[Tag, Digest]:
        """What those of `tags` that exist mean now."""
        await self._called("current", tuple(tags))
        return {tag: self.named[tag] for tag in tags if tag in self.named}

    async def missing(self, blobs: Sequence[Descriptor]) -> list[Descriptor]:
        """Those of `blobs` that are not here."""
        await self._called("missing", tuple(blob.digest for blob in blobs))
        return [blob for blob in blobs if blob.digest not in self.blobs]

    async def absent(self, manifests: Sequence[Descriptor]) -> list[Descriptor]:
        """Those of `manifests` that are not here."""
        await self._called("absent", tuple(manifest.digest for manifest in manifests))
        return [manifest for manifest in manifests if manifest.digest not in self.manifests]

    async def put_blob(self, d: Descriptor, content: Content, mount_from: Sequence[Place] = ()) -> Landed:
        """Store a blob, by mounting it where that is possible."""
        await self._called("put_blob", d.digest)
        self._refuse_unprepared()
        if d.digest in self.blobs:
            return Landed.PRESENT
        if self._mounted(d, mount_from):
            return Landed.MOUNTED
        async with content.open() as chunks:
            data = b"".join([chunk async for chunk in chunks])
        if len(data) != d.size or Digest.of(data, d.digest.algorithm) != d.digest:
            raise UploadRefused(f"{self.host} did not get the bytes of {d.digest}", host=self.host)
        if not data and not self.registry.traits.empty_blobs:
            raise UploadRefused(f"{self.host} stores no empty blob", host=self.host)
        self.blobs[d.digest] = data
        return Landed.UPLOADED

    async def put_manifest(self, m: Manifest | Index, tag: Tag | None = None) -> None:
        """Store a manifest whose children and blobs are here already."""
        await self._called("put_manifest", tag or m.descriptor.digest)
        self._refuse_unprepared()
        self._refuse_incomplete(m)
        there = self.named.get(tag) if tag else None
        if self.registry.immutable and there not in (None, m.descriptor.digest):
            raise TagImmutable(f"{self.place}:{tag} is {there} and cannot become {m.descriptor.digest}", host=self.host)
        self._keep(m, tag)

    # how

    async def _called(self, verb: str, what: object) -> None:
        self.calls.append((verb, what))
        if self.before is not None:
            await self.before(verb, what)
        if self.faults.errors[verb]:
            raise self.faults.errors[verb].popleft()

    async def _chunks(self, data: bytes, cut: int | None) -> AsyncIterator[bytes]:
        async for piece in _pieces(data[:cut]):
            yield piece
        if cut is not None:
            raise Unreachable(f"{self.host} closed the connection after {cut} bytes", host=self.host)

    def _keep(self, manifest: Manifest | Index, tag: Tag | None) -> None:
        self.manifests[manifest.descriptor.digest] = manifest
        if tag is not None:
            self.named[tag] = manifest.descriptor.digest

    def _mounted(self, d: Descriptor, mount_from: Sequence[Place]) -> bool:
        if not self.registry.mounts:
            return False
        for place in mount_from:
            other = self.registry.held.get(place.repository)
            if place.registry == self.registry.identity and other is not None and other.lends(d.digest):
                self.blobs[d.digest] = other.blobs[d.digest]
                return True
        return False

    def _refuse_blamed(self, d: Descriptor) -> None:
        if len(self.blamed) >= CHANCES:
            raise NoHonestSource(f"{self.host} sent wrong bytes, and nobody else has {d.digest}", host=self.host)

    def _refuse_unprepared(self) -> None:
        if self.registry.must_prepare and self.place.repository not in self.registry.prepared:
            raise RepositoryMissing(f"{self.place} does not exist", host=self.host)

    def _refuse_incomplete(self, m: Manifest | Index) -> None:
        if isinstance(m, Index) and self.registry.traits.sparse_indexes:
            return
        held, wanted = (self.manifests, m.children) if isinstance(m, Index) else (self.blobs, m.blobs)
        lacking = [str(d.digest) for d in wanted if d.digest not in held and not d.foreign]
        if lacking:
            raise ManifestRefused(f"{self.place} has not got {', '.join(lacking)}", host=self.host)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), CHUNK):
        yield data[at : at + CHUNK]
