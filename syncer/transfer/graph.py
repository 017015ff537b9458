"""The graph of an image: its manifests, children before parents, and what refers to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.errors import CorruptContent, LandedDiffers, MalformedManifest
from syncer.oci import media_types
from syncer.oci.manifest import Index, Manifest
from syncer.selection.platforms import landing
from syncer.transfer.crowd import for_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.attempts import Attempts
    from syncer.content.places import Source
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.platform import Platform
    from syncer.plan.model import Copy

MAX_DEPTH = 4  # levels below the root: real images have two (an index, its manifests)
MAX_NODES = 20_000  # manifests of one image; bounds what a hostile index can cost
MAX_BYTES = 8 * 1024 * 1024  # of all manifests of one image; real images have less than one
_AT_ONCE = 16  # manifests asked for at the same time, per image

Node = Manifest | Index


@dataclass(frozen=True, slots=True)
class Graph:
    """All manifests of an image in the order in which they may be stored."""

    root: Node
    nodes: tuple[Node, ...] = field(repr=False)  # the root is among them; referrers come after what they refer to

    @property
    def blobs(self) -> dict[Digest, Descriptor]:
        """Its distinct blobs."""
        return blobs_of(self.nodes)

    @property
    def size(self) -> int:
        """Bytes of its distinct blobs."""
        return sum(blob.size for blob in self.blobs.values())


def blobs_of(nodes: Sequence[Node]) -> dict[Digest, Descriptor]:
    """The distinct blobs of some manifests, in order, without layers that are elsewhere: those are never fetched."""
    every = (blob for node in nodes if isinstance(node, Manifest) for blob in node.blobs)
    return {blob.digest: blob for blob in every if not blob.foreign}


def foreign_in(nodes: Sequence[Node]) -> dict[Digest, Descriptor]:
    """The distinct layers that their registry does not hold."""
    every = (blob for node in nodes if isinstance(node, Manifest) for blob in node.blobs)
    return {blob.digest: blob for blob in every if blob.foreign}


class Walk:
    """Reads the manifests of one image; each digest once, however often and from wherever it is named."""

    def __init__(self, source: Source, attempts: Attempts) -> None:
        self._source = source
        self._attempts = attempts
        self._seen: dict[Digest, Node] = {}
        self._size = 0

    async def copy(self, copy: Copy) -> Graph:
        """The graph that `copy` puts in place, its root cut down as the plan says, with its referrers if it wants."""
        whole = await self.node(copy.root)
        graph = await self.sparse(whole, copy.only) if copy.landing == copy.root else await self._cut_down(whole, copy)
        if not copy.referrers:
            return graph
        # The source has never seen a root that was cut down: only its children's referrers can come along.
        return await self.with_referrers(
            graph, [node for node in graph.nodes if node is whole or node is not graph.root]
        )

    async def sparse(self, whole: Node, only: Sequence[Platform]) -> Graph:
        """The graph of `whole`, of an index only with what `only` chooses below it; without a choice, everything."""
        part = landing(whole, only)
        graph = await self.below(part)
        if part is whole:
            return graph
        return Graph(whole, (*(node for node in graph.nodes if node is not part), whole))

    async def _cut_down(self, whole: Node, copy: Copy) -> Graph:
        root = landing(whole, copy.only)
        if root.descriptor.digest != copy.landing.digest:
            raise LandedDiffers(
                f"{copy.source} cut down to its platforms is {root.descriptor.digest}; the plan says "
                f"{copy.landing.digest}",
                hint="make a new plan with this version of syncer",
            )
        return await self.below(root)

    async def node(self, d: Descriptor) -> Node:
        """The manifest `d`, its bytes checked whoever sent them."""
        if d.digest not in self._seen:
            self._refuse_bomb(d.size)
            node = await self._attempts.step(lambda: self._source.manifest(d))
            if node.descriptor.digest != d.digest:
                raise CorruptContent(f"{self._source.place} sent {node.descriptor.digest} for {d.digest}")
            self._seen[d.digest] = node
        return self._seen[d.digest]

    def _refuse_bomb(self, size: int) -> None:
        """Count what is about to be read; MalformedManifest before it is, if all of it would be too much."""
        self._size += size
        if self._size > MAX_BYTES:
            raise MalformedManifest(f"{self._source.place}: the image has more than {MAX_BYTES} bytes of manifests")

    async def below(self, root: Node) -> Graph:
        """The graph under `root`; MalformedManifest where it is deeper or larger than any real image."""
        self._seen[root.descriptor.digest] = root
        level = [root]
        for depth in range(MAX_DEPTH + 1):
            children = _children(level)
            if not children:
                return Graph(root, _children_first(root, self._seen))
            if depth == MAX_DEPTH or len(self._seen) + len(children) > MAX_NODES:
                break
            await for_each(children.values(), self._child, _AT_ONCE)
            level = [self._seen[digest] for digest in children]
        raise MalformedManifest(
            f"{self._source.place}: the image has indexes nested more than {MAX_DEPTH} deep, or more than "
            f"{MAX_NODES} manifests"
        )

    async def with_referrers(self, graph: Graph, subjects: Sequence[Node]) -> Graph:
        """`graph` and, after it, what refers to `subjects`, and what refers to that, in turn."""
        nodes = {node.descriptor.digest: node for node in graph.nodes}
        for _ in range(MAX_DEPTH):
            found = [await self.below(root) for root in await self.referrers(subjects)]
            fresh = {node.descriptor.digest: node for below in found for node in below.nodes}
            subjects = [node for digest, node in fresh.items() if digest not in nodes]
            nodes = {**nodes, **fresh}
            if not subjects:
                break
        return Graph(graph.root, tuple(nodes.values()))

    async def referrers(self, subjects: Sequence[Node]) -> list[Node]:
        """The manifests whose subject is one of `subjects`."""
        found: dict[Digest, Descriptor] = {}

        async def ask(node: Node) -> None:
            digest = node.descriptor.digest
            listed = await self._attempts.step(lambda: self._source.referrers(digest))
            found.update((d.digest, d) for d in listed)
            if len(found) > MAX_NODES:
                raise MalformedManifest(f"{self._source.place}: more than {MAX_NODES} manifests refer to one image")

        await for_each(subjects, ask, _AT_ONCE)
        return [await self.node(d) for d in found.values()]

    async def _child(self, d: Descriptor) -> None:
        node = await self.node(d)
        stated = d.media_type
        if len(node.raw) != d.size or (media_types.names_manifest(stated) and stated != node.descriptor.media_type):
            raise MalformedManifest(
                f"{self._source.place}: {d.digest} is {len(node.raw)} bytes of {node.descriptor.media_type}, "
                f"but its index says {d.size} bytes of {stated}"
            )


def _children(level: Sequence[Node]) -> dict[Digest, Descriptor]:
    return {child.digest: child for node in level if isinstance(node, Index) for child in node.manifests}


def _children_first(root: Node, seen: dict[Digest, Node]) -> tuple[Node, ...]:
    """Every node under `root`, each after all of its children: a depth-first walk without recursion."""
    ordered: dict[Digest, Node] = {}
    stack = [(root, False)]
    while stack:
        node, children_done = stack.pop()
        digest = node.descriptor.digest
        if digest in ordered:
            continue
        if children_done or isinstance(node, Manifest):
            ordered[digest] = node
            continue
        stack.append((node, True))
        stack.extend((seen[child.digest], False) for child in reversed(node.children))
    return tuple(ordered.values())
