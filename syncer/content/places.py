"""The protocols of places: what a Source, a Target and a Registry promise.

A place has few verbs; whatever else it can do is a wrapper with the same verbs or a free function. One call is one
attempt: repetition is decided in `syncer.attempts` by whoever calls. Every implementation passes its suite in
`tests/contract/`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from syncer.errors import SyncerError
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.manifest import Index, Manifest
    from syncer.oci.names import RepositoryName, Tag
    from syncer.oci.reference import Reference
    from syncer.oci.said import Said


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What shares blobs: a repository of a registry."""

    registry: str  # the registry's identity
    repository: RepositoryName

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a tag means, and who says so."""

    descriptor: Descriptor
    by: str  # "origin", "agreement", "mirror" or "digest" (it was pinned)
    said: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes on their way: who sends them, and where in the blob they begin."""

    chunks: AsyncIterator[bytes]
    host: str
    start: int = 0  # 0 where the host ignored a Range


class Content(Protocol):
    """Bytes that can be read again from the start: that is what makes a push repeatable."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    @property
    def early(self) -> bool:
        """Whether it may be opened before there is a place for it: nobody then waits until its bytes are taken."""

    def open(self) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes, from the first; raises `SyncerError` while they flow if they cannot be had."""


class Landed(enum.Enum):
    """How a blob came to be at a target."""

    PRESENT = "present"
    MOUNTED = "mounted"
    UPLOADED = "uploaded"


class Source(Protocol):
    """A repository that can be read."""

    @property
    def place(self) -> Place:
        """Which repository this is."""

    async def tags(self) -> list[Tag]:
        """Every tag; a partial listing is an error."""

    async def resolve(self, name: Tag | Digest) -> Resolution:
        """What `name` means here; NotFound, Unresolved or another SyncerError if that cannot be known."""

    async def manifest(self, d: Descriptor) -> Manifest | Index:
        """The manifest with exactly the digest of `d`, its bytes checked."""

    def blob(
        self, d: Descriptor, start: int = 0, stop: int | None = None, avoid: frozenset[str] = frozenset()
    ) -> AbstractAsyncContextManager[Stream]:
        """Bytes `start` to `stop` (exclusive) of a blob, unchecked, from a host that is not in `avoid`.

        NoHonestSource where every host that could be asked is in `avoid` or was blamed.
        """

    @property
    def spare(self) -> int:
        """How many more streams could begin now without anybody having to wait: for those that only save time."""

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """The manifests whose subject is `digest`: by the referrers API, else by the fallback tag."""

    def blame(self, host: str, error: SyncerError) -> None:
        """`host` sent wrong bytes: it is out for this run, and the report names it."""


class Target(Source, Protocol):
    """A repository that can be written."""

    async def current(self, tags: Sequence[Tag]) -> Mapping[Tag, Digest]:
        """What those of `tags` that exist mean now; RepositoryMissing where the repository must be created first."""

    async def missing(self, blobs: Sequence[Descriptor]) -> list[Descriptor]:
        """Those of `blobs` that are not here; CorruptAtTarget where one is here with another size."""

    async def absent(self, manifests: Sequence[Descriptor]) -> list[Descriptor]:
        """Those of `manifests` that are not here, by digest."""

    async def put_blob(self, d: Descriptor, content: Content, mount_from: Sequence[Place] = ()) -> Landed:
        """Store a blob; may be called again after a failure.

        `content` is opened only if bytes must be sent. `mount_from` may name this place itself: where asking is not
        free (`Traits.batches`), that is how an upload begins that turns out to be needless.
        """

    async def put_manifest(self, m: Manifest | Index, tag: Tag | None = None) -> None:
        """Store a manifest by its digest, or under `tag`; its children and blobs must be here already.

        Where the manifest has a subject and the registry has no referrers API, the fallback tag is kept as well.
        """


class Registry(Protocol):
    """A named collection of repositories."""

    @property
    def identity(self) -> str:
        """The host[:port] that references name."""

    @property
    def traits(self) -> Traits:
        """What this kind of registry cannot take."""

    def source(self, name: RepositoryName) -> Source:
        """The repository `name`, to read."""

    def target(self, name: RepositoryName) -> Target:
        """The repository `name`, to write."""

    async def repositories(self) -> list[RepositoryName]:
        """Every repository, where the registry says so."""

    async def prepare(self, name: RepositoryName) -> bool:
        """Make sure that `name` can be pushed to; whether it was created just now."""

    async def aclose(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Traits:
    """How a kind of registry differs from the others, as far as planning and transfer must know."""

    empty_blobs: bool = True  # zero-length blobs can be stored; if not, such images are refused while planning
    batches: bool = False  # `missing` asks for many blobs in one request; if not, the upload itself is the question
    mounts_uncommitted: bool = True  # a blob can be mounted before a manifest at its place refers to it
    sparse_indexes: bool = False  # an index is taken while some of its children are not there


class Places(Protocol):
    """Where the references of a plan are."""

    def source(self, reference: Reference) -> Source:
        """The repository that `reference` is read from."""

    def registry(self, target: str) -> Registry:
        """The target that mirrors.yaml calls `target`."""
