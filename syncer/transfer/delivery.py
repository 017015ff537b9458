"""One image on its way to one destination: blobs, manifests from the leaves up, the tag last, then a look."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from syncer.content.places import Landed
from syncer.errors import LandedDiffers, ManifestRefused, SyncerError
from syncer.oci.manifest import Manifest
from syncer.transfer.crowd import for_each
from syncer.transfer.graph import blobs_of
from syncer.transfer.holdings import Holdings, Locks, Prepared

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from syncer.attempts import Attempts
    from syncer.content.places import Place, Registry, Source, Target
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.reference import Reference
    from syncer.plan.model import Destination
    from syncer.transfer.feed import Fed, Feed
    from syncer.transfer.graph import Graph, Node
    from syncer.transfer.tuning import Tuning

T = TypeVar("T")

_MANIFESTS_AT_ONCE = 8


class Shared:
    """What all deliveries of a run have in common."""

    def __init__(self, attempts: Attempts, feed: Feed, tuning: Tuning) -> None:
        self.attempts = attempts
        self.feed = feed
        self.tuning = tuning
        self.holdings = Holdings()
        self.locks = Locks()
        self.prepared = Prepared(attempts)
        self._slots: dict[str, asyncio.Semaphore] = {}

    def slot(self, registry: str) -> asyncio.Semaphore:
        """What bounds the blobs on their way to one registry; a slow one so takes no slot of another."""
        return self._slots.setdefault(registry, asyncio.Semaphore(self.tuning.blobs))


@dataclass(slots=True)
class Tally:
    """What a delivery came to."""

    moved: int = 0
    reused: int = 0
    repeated: int = 0  # steps that had to be tried again
    via: set[str] = field(default_factory=set)


class Delivery:
    """Brings one graph to one destination; every step is repeated as `attempts` decides."""

    def __init__(
        self, shared: Shared, graph: Graph, origin: tuple[Source, Reference], registry: Registry, to: Destination
    ) -> None:
        self.tally = Tally()
        self._shared = shared
        self._graph = graph
        self._origin = origin
        self._registry = registry
        self._to = to
        self._created = False  # the repository, for this run: what is not known to be there is not there
        self._target: Target = registry.target(to.reference.repository)
        self._expected = dict(graph.blobs)
        shared.feed.expect(self._expected, registry.identity)

    @property
    def _place(self) -> Place:
        return self._target.place

    async def run(self) -> None:
        """Put everything in place, the tag last (law 3), and see that it is there (law 4)."""
        try:
            nodes = await self._lacking()
            await self._bring(await self._unknown_blobs(nodes))
            await self._put_manifests(nodes)
            await self._put_tag()
            await self._look()
        finally:
            self._settle(self._expected)

    # what is there already

    async def _lacking(self) -> list[Node]:
        """The manifests that the target has not got. Where it has one, it has all that this one refers to."""
        self._created = await self._shared.prepared.created(self._registry, self._place.repository)
        holdings, place = self._shared.holdings, self._place
        unknown = [node for node in self._graph.nodes if not holdings.has(place, node.descriptor.digest)]
        absent = {node.descriptor.digest for node in unknown}
        if unknown and not self._created:
            asked = [node.descriptor for node in unknown]
            absent = {d.digest for d in await self._step(lambda: self._target.absent(asked))}
        lacking = [node for node in self._graph.nodes if node.descriptor.digest in absent]
        self._count_present([node for node in self._graph.nodes if node.descriptor.digest not in absent], lacking)
        return lacking

    def _count_present(self, present: Sequence[Node], lacking: Sequence[Node]) -> None:
        held = blobs_of(present)
        self._shared.holdings.add(self._place, [*held, *(n.descriptor.digest for n in present)], committed=True)
        needed = blobs_of(lacking)
        self.tally.reused += sum(d.size for digest, d in held.items() if digest not in needed)
        self._settle([digest for digest in held if digest not in needed])

    async def _unknown_blobs(self, nodes: Sequence[Node]) -> list[Descriptor]:
        """The blobs of `nodes` that may have to be sent; asked for in one request, where the target can be."""
        blobs = list(blobs_of(nodes).values())
        if self._created or not self._registry.traits.batches:
            return blobs
        unknown = [d for d in blobs if not self._shared.holdings.has(self._place, d.digest)]
        missing = {d.digest for d in await self._step(lambda: self._target.missing(unknown))} if unknown else set()
        here = [d.digest for d in unknown if d.digest not in missing]
        self._shared.holdings.add(self._place, here, committed=False)
        return blobs

    # blobs

    async def _bring(self, blobs: Sequence[Descriptor]) -> None:
        await for_each(blobs, self._blob, self._shared.tuning.per_image)

    async def _blob(self, d: Descriptor) -> None:
        """See that `d` is there; of all who need it at this registry, one at a time."""
        async with self._shared.locks.held((self._place.registry, d.digest)):
            if self._shared.holdings.has(self._place, d.digest):
                self.tally.reused += d.size
            else:
                async with self._shared.slot(self._place.registry):
                    await self._put_blob(d)
                self._shared.holdings.add(self._place, [d.digest], committed=False)
        self._settle([d.digest])

    async def _put_blob(self, d: Descriptor) -> None:
        content = self._shared.feed.content(d, self._origin, self._place.registry)
        mount_from = self._mount_from(d.digest)
        landed = await self._step(lambda: self._target.put_blob(d, content, mount_from), content)
        if landed is Landed.UPLOADED:
            self.tally.moved += d.size
            self.tally.via |= content.hosts
        else:
            self.tally.reused += d.size

    def _mount_from(self, digest: Digest) -> tuple[Place, ...]:
        """A place that is known to have the blob; else, where nobody has asked yet, this one: the answer is free."""
        traits = self._registry.traits
        elsewhere = self._shared.holdings.elsewhere(
            self._place.registry, digest, committed=not traits.mounts_uncommitted
        )
        if elsewhere is not None:
            return (elsewhere,)
        return () if self._created or traits.batches else (self._place,)

    def _settle(self, digests: Sequence[Digest] | dict[Digest, Descriptor]) -> None:
        for digest in list(digests):
            if self._expected.pop(digest, None) is not None:
                self._shared.feed.settled(digest, self._place.registry)

    # manifests

    async def _put_manifests(self, nodes: Sequence[Node]) -> None:
        """All but a root that only waits for its tag; an index after everything that stands before it."""
        waits = self._graph.root if self._to.reference.tag and self._graph.nodes[-1] is self._graph.root else None
        by_digest = [node for node in nodes if node is not waits]
        for leaf, group in groupby(by_digest, key=lambda node: isinstance(node, Manifest)):
            await for_each(group, self._put_manifest, _MANIFESTS_AT_ONCE if leaf else 1)

    async def _put_manifest(self, node: Node) -> None:
        async with self._shared.locks.held((self._place, node.descriptor.digest)):
            if not self._shared.holdings.has(self._place, node.descriptor.digest):
                await self._put(node)

    async def _put_tag(self) -> None:
        tag, root = self._to.reference.tag, self._graph.root
        there = self._shared.holdings.has(self._place, root.descriptor.digest)
        if tag is not None and not (there and self._to.before == root.descriptor.digest):
            await self._put(root, tagged=True)

    async def _put(self, node: Node, *, tagged: bool = False) -> None:
        tag = self._to.reference.tag if tagged else None
        try:
            await self._step(lambda: self._target.put_manifest(node, tag))
        except ManifestRefused:
            if not isinstance(node, Manifest) or not await self._mended(node):
                raise
            await self._step(lambda: self._target.put_manifest(node, tag))
        blobs = [d.digest for d in node.blobs] if isinstance(node, Manifest) else []
        self._shared.holdings.add(self._place, [node.descriptor.digest, *blobs], committed=True)

    async def _mended(self, node: Manifest) -> bool:
        """Bring again what the target has lost since it was there: registries collect garbage while we work."""
        lost = await self._step(lambda: self._target.missing(node.blobs))
        self._shared.holdings.forget(self._place, [d.digest for d in lost])
        await self._bring(lost)
        return bool(lost)

    async def _look(self) -> None:
        """Ask the target what the tag means now."""
        wanted, tag = self._graph.root.descriptor.digest, self._to.reference.tag
        found = (await self._step(lambda: self._target.resolve(tag or wanted))).descriptor.digest
        if found != wanted:
            raise LandedDiffers(f"{self._to.reference} means {found} after {wanted} was put", host=self._place.registry)

    async def _step(self, once: Callable[[], Awaitable[T]], content: Fed | None = None) -> T:
        """One look or deliver step; what went wrong with the content, not with the sending of it, decides first."""
        tries = self._shared.attempts.tries()
        while True:
            try:
                return await once()
            except SyncerError as error:
                cause = content.error if content and content.error else error
                if content and content.given_up:
                    raise cause from None
                await tries.after(cause)
                self.tally.repeated += 1
