"""What a run remembers about one registry: manifests that were read, and whether it mounts blobs."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from syncer.oci.digest import Digest
    from syncer.oci.manifest import Index, Manifest

MANIFEST_BYTES = 64 * 1024 * 1024  # of memory, about: 15,000 manifests of ordinary images
_VALUE_BYTES = 100  # of memory that a value of a manifest takes when it is parsed
REFUSED_MOUNTS = 4  # in a row, before the first that succeeds: such a registry does not mount


class Manifests:
    """The manifests that were read last, by digest, up to `limit` bytes of memory; their bytes were checked."""

    def __init__(self, limit: int = MANIFEST_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._held: OrderedDict[Digest, Manifest | Index] = OrderedDict()
        self._flights: dict[Digest, asyncio.Event] = {}  # reads that have not ended

    def get(self, digest: Digest) -> Manifest | Index | None:
        """The manifest, if it is still here."""
        if digest in self._held:
            self._held.move_to_end(digest)
        return self._held.get(digest)

    async def get_or_read(self, digest: Digest, read: Callable[[], Awaitable[Manifest | Index]]) -> Manifest | Index:
        """From memory; of many who want it at once one reads it. If that fails, the others read for themselves."""
        if digest in self._flights:
            await self._flights[digest].wait()
        held = self.get(digest)
        if held is not None:
            return held
        if digest in self._flights:
            return await read()
        landed = self._flights[digest] = asyncio.Event()
        try:
            return await read()
        finally:
            del self._flights[digest]
            landed.set()

    def keep(self, manifest: Manifest | Index) -> None:
        """Remember `manifest`, and forget those that were not used for longest."""
        if manifest.descriptor.digest in self._held:
            return
        self._held[manifest.descriptor.digest] = manifest
        self._size += weight(manifest)
        while self._size > self._limit:
            _, dropped = self._held.popitem(last=False)
            self._size -= weight(dropped)


def weight(manifest: Manifest | Index) -> int:
    """About how many bytes of memory it takes: a hostile one of many small values ten times what was sent."""
    return len(manifest.raw) + _VALUE_BYTES * manifest.raw.count(b",")


class Mounts:
    """Whether a registry takes blobs over from another of its repositories."""

    def __init__(self) -> None:
        self._ever = False
        self._refused = 0

    @property
    def worth_trying(self) -> bool:
        """Whether asking may save an upload; ECR without BLOB_MOUNTING never mounts and answers 202 each time."""
        return self._ever or self._refused < REFUSED_MOUNTS

    def succeeded(self) -> None:
        """A blob was mounted."""
        self._ever = True

    def refused(self) -> None:
        """A mount was not granted."""
        self._refused += 1


@dataclass(frozen=True, slots=True)
class Kept:
    """Both, for one registry."""

    manifests: Manifests = field(default_factory=Manifests)
    mounts: Mounts = field(default_factory=Mounts)
