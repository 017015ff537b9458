"""One image whose meaning is known, against what its destinations have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from syncer.errors import EmptyBlobRefused, Failure, ForeignLayer, RewriteForbidden, SyncerError
from syncer.oci.manifest import Index
from syncer.plan.model import Copy, Lost, Skip, Why
from syncer.report.verdict import worst
from syncer.selection.platforms import landing
from syncer.settings.rules import Rewrite
from syncer.settings.terms import ForeignLayers
from syncer.transfer.graph import Walk, foreign_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from syncer.attempts import Attempts
    from syncer.content.places import Target
    from syncer.errors import RolledBack
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.reference import Reference
    from syncer.plan.model import Destination
    from syncer.planning.guarding import Guard
    from syncer.planning.looks import Looks
    from syncer.planning.wishes import Wanted
    from syncer.settings.terms import Terms
    from syncer.state.records import State
    from syncer.transfer.graph import Graph

_LISTED = 3  # layers that a message names


@dataclass(slots=True)
class Decided:
    """What was decided about one image."""

    copies: list[Copy] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)


class Comparison:
    """Settles the destinations of one image; what stays open in the end is copied, or lost to the error that is met."""

    def __init__(
        self, looks: Looks, attempts: Attempts, copy: Copy, decided: Decided, guard: Guard, *, sparse: bool = False
    ) -> None:
        self._looks = looks
        self._attempts = attempts
        self._copy = copy
        self._decided = decided
        self._guard = guard
        self._sparse = sparse and bool(copy.only)  # these destinations take the index as it is, without all children
        self._open = list(copy.destinations)
        self._walk = Walk(looks.source(copy.source), attempts)

    async def run(self, wanted: Wanted, state: State, now: datetime) -> None:
        """Put every destination into the decision."""
        try:
            self._copy = replace(self._copy, landing=await self._landing(wanted, state))
            await self._settle_all(wanted.terms, self._guard.rolled_back(self._copy, wanted.terms, now))
        except* Exception as group:  # noqa: BLE001 - a bug is told, and ends no other image
            self._lose(self._open, worst(group))

    async def _landing(self, wanted: Wanted, state: State) -> Descriptor:
        """What the tag will mean at the targets; remembered, so that an unchanged tag needs no manifest."""
        root, only = self._copy.root, wanted.only
        if wanted.platforms is None or not only or not self._open or self._sparse:
            return root
        lands = state.rewritten(root.digest, only)
        if lands is None:
            lands = landing(await self._walk.node(root), only).descriptor
            state.remember_rewritten(root.digest, only, lands)
        if wanted.platforms.rewrite is Rewrite.NEVER and lands.digest != root.digest:
            raise RewriteForbidden(
                f"{wanted.source} has more platforms than {', '.join(map(str, only))}, and this target takes no index "
                "without them"
            )
        return lands

    async def _settle_all(self, terms: Terms, rolled_back: RolledBack | None) -> None:
        if not self._copy.referrers:
            await self._settle([self._copy.landing])
        if self._open and rolled_back:
            raise rolled_back
        self._leave_alone(terms)
        if not self._open:
            return
        graph = await self._walk.copy(self._copy)
        if self._copy.referrers:
            await self._settle([node.descriptor for node in graph.nodes])
        if self._open:
            self._refuse(graph, terms)
        if self._open:
            self._decided.copies.append(replace(self._copy, destinations=tuple(self._open), size=graph.size))

    async def _settle(self, whole: Sequence[Descriptor]) -> None:
        """Close the destinations that have all of it, and those that do not say."""
        for to in list(self._open):
            try:
                if await self._has(to, whole):
                    self._skip(to)
            except SyncerError as error:
                self._lose([to], error)

    async def _has(self, to: Destination, whole: Sequence[Descriptor]) -> bool:
        """Whether nothing is to be done at `to`; the word of its tag is enough, unless referrers count as well."""
        if to.reference.tag is not None and to.before != self._copy.landing.digest:
            return False
        if to.reference.tag is not None and not self._copy.referrers and not self._sparse:
            return True
        target = self._looks.registry(to.target).target(to.reference.repository)
        if self._sparse and to.reference.tag is not None:
            whole = [*whole, *await self._chosen(target)]
        return not await self._attempts.step(lambda: target.absent(whole))

    async def _chosen(self, target: Target) -> Sequence[Descriptor]:
        """The children that the platforms choose, read from the target's own index: that costs the source no pull."""
        root = await Walk(target, self._attempts).node(self._copy.root)
        chosen = landing(root, self._copy.only)
        return chosen.manifests if isinstance(chosen, Index) else ()

    def _leave_alone(self, terms: Terms) -> None:
        """Lose what somebody else wrote."""
        for to in list(self._open):
            refusal = self._guard.not_ours(self._copy, terms, to)
            if refusal:
                self._lose([to], refusal)

    def _refuse(self, graph: Graph, terms: Terms) -> None:
        """Raise or lose what cannot be stored: foreign layers anywhere, zero-length blobs at ECR."""
        foreign = foreign_in(graph.nodes)
        if foreign and terms.foreign_layers is ForeignLayers.FAIL:
            raise ForeignLayer(f"{self._copy.source} has layers that its registry does not hold: {_listed(foreign)}")
        self._copy = replace(self._copy, left_out=tuple(foreign))
        empty = next((d for d in graph.blobs.values() if d.size == 0), None)
        if empty is not None:
            refusing = [to for to in self._open if not self._looks.registry(to.target).traits.empty_blobs]
            self._lose(refusing, EmptyBlobRefused(f"{self._copy.source} has a blob of zero bytes, {empty.digest}"))

    def _skip(self, to: Destination) -> None:
        copy = self._copy
        self._open.remove(to)
        self._decided.skips.append(
            Skip(
                copy.source,
                to,
                Why.UP_TO_DATE,
                copy.landing.digest,
                copy.root.digest,
                copy.resolved_by,
                copy.said,
                referrers=copy.referrers,
                only=copy.only,
            )
        )

    def _lose(self, losing: Iterable[Destination], error: SyncerError) -> None:
        losing = list(losing)
        self._open = [to for to in self._open if to not in losing]
        lost = lost_to(error, self._copy.source, losing)
        self._decided.lost += [
            replace(each, said=self._copy.said, source_digest=self._copy.root.digest) for each in lost
        ]


def _listed(digests: Iterable[Digest]) -> str:
    """The first few of them."""
    first = list(islice(digests, _LISTED + 1))
    return ", ".join([*map(str, first[:_LISTED]), *(["..."] if len(first) > _LISTED else [])])


def lost_to(error: SyncerError, source: Reference, destinations: Sequence[Destination]) -> list[Lost]:
    """The entry for destinations that `error` makes impossible; none for none."""
    if not destinations:
        return []
    return [Lost(source, tuple(destinations), Failure.of(error), error.blocked)]
