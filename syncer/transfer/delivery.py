"""One image on its way to one destination: blobs, manifests from the leaves up, the tag last, then a look."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from syncer.errors import LandedDiffers, ManifestRefused
from syncer.oci.manifest import Manifest
from syncer.transfer.blobs import Blobs
from syncer.transfer.crowd import for_each
from syncer.transfer.graph import blobs_of
from syncer.transfer.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.content.places import Place, Registry, Source, Target
    from syncer.oci.reference import Reference
    from syncer.plan.model import Destination
    from syncer.transfer.blobs import Tally
    from syncer.transfer.graph import Graph, Node
    from syncer.transfer.shared import Shared

_MANIFESTS_AT_ONCE = 8


class Delivery:
    """Brings one graph to one destination; every step is repeated as `attempts` decides.

    Whoever puts a manifest or asks for it holds its lock: docker-registry answers 500 to one of two at a time.
    """

    def __init__(
        self, shared: Shared, graph: Graph, origin: tuple[Source, Reference], registry: Registry, to: Destination
    ) -> None:
        self._shared = shared
        self._graph = graph
        self._registry = registry
        self._to = to
        self._target: Target = registry.target(to.reference.repository)
        self._steps = Steps(shared.attempts)
        self._blobs = Blobs(shared, self._steps, origin, registry, self._target)
        self._blobs.expect(graph.blobs)

    @property
    def tally(self) -> Tally:
        """What was moved so far."""
        return self._blobs.tally

    @property
    def attempts(self) -> int:
        """One, and one more for every step that had to be repeated."""
        return 1 + self._steps.repeated

    @property
    def _place(self) -> Place:
        return self._target.place

    @property
    def _worth_asking(self) -> bool:
        """Whether manifests may be there; a guess where planning saw no tag, at the cost of putting them again."""
        occupied = (self._to.target, self._place.repository) in self._shared.occupied
        return not self._blobs.fresh and (occupied or self._registry.traits.batches)

    async def run(self) -> None:
        """Put everything in place, the tag last (law 3), and see that it is there (law 4)."""
        try:
            self._blobs.fresh = await self._shared.prepared.created(self._registry, self._place.repository)
            nodes = await self._lacking()
            blobs = list(blobs_of(nodes).values())
            await self._blobs.ask(blobs)
            await self._blobs.bring(blobs)
            await self._put_manifests(nodes)
            async with self._shared.locks.held((self._place, self._graph.root.descriptor.digest)):
                await self._put_tag()
                self._blobs.commit()
                await self._look()
        finally:
            self._blobs.end()

    async def _lacking(self) -> list[Node]:
        """The manifests that the target has not got. Where it has one, it has all that this one refers to."""
        if self._worth_asking:
            await self._ask()
        has = partial(self._shared.holdings.has, self._place)
        lacking = [node for node in self._graph.nodes if not has(node.descriptor.digest)]
        needed, there = blobs_of(lacking), blobs_of([n for n in self._graph.nodes if has(n.descriptor.digest)])
        self._blobs.count_present({digest: d for digest, d in there.items() if digest not in needed})
        return lacking

    async def _ask(self) -> None:
        """Find out which manifests are there, unless another delivery has, while nobody puts one of them."""
        holdings, place = self._shared.holdings, self._place
        wanted = [node.descriptor for node in self._graph.nodes]
        async with self._shared.locks.all_held((place, d.digest) for d in wanted):
            unknown = holdings.unknown(place, wanted)
            if unknown:
                absent = {d.digest for d in await self._steps.step(lambda: self._target.absent(unknown))}
                holdings.miss(place, absent)
                holdings.add(place, [d.digest for d in unknown if d.digest not in absent], committed=True)

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
            await self._steps.step(lambda: self._target.put_manifest(node, tag))
        except ManifestRefused:  # registries collect garbage while we work: what was there may be there no more
            if not isinstance(node, Manifest) or not await self._blobs.mend([*blobs_of([node]).values()]):
                raise
            await self._steps.step(lambda: self._target.put_manifest(node, tag))
        self._shared.holdings.add(self._place, [node.descriptor.digest, *blobs_of([node])], committed=True)

    async def _look(self) -> None:
        """Ask the target what the tag means now."""
        wanted, tag = self._graph.root.descriptor.digest, self._to.reference.tag
        found = (await self._steps.step(lambda: self._target.resolve(tag or wanted))).descriptor.digest
        if found != wanted:
            raise LandedDiffers(f"{self._to.reference} means {found} after {wanted} was put", host=self._place.registry)
