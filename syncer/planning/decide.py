"""What is to be done for one image: compare what it means with what its destinations have."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from syncer.errors import (
    EmptyBlobRefused,
    Failure,
    ForeignLayer,
    MirrorError,
    NetworkError,
    NotFound,
    RewriteForbidden,
    SyncerError,
)
from syncer.plan.model import Copy, Lost, Skip, Why
from syncer.report.verdict import worst
from syncer.selection.platforms import landing
from syncer.settings.registries import default_registry
from syncer.settings.rules import Rewrite
from syncer.transfer.graph import Walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.attempts import Attempts
    from syncer.clock import Clock
    from syncer.content.places import Resolution
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.platform import Platform
    from syncer.oci.reference import Reference
    from syncer.plan.model import Destination
    from syncer.planning.looks import Looks
    from syncer.planning.wishes import Wanted
    from syncer.settings.rules import Settings
    from syncer.state.records import State
    from syncer.transfer.graph import Graph


@dataclass(slots=True)
class Decided:
    """What was decided about one image."""

    copies: list[Copy] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)


class Decider:
    """Decides about images one by one. Whatever goes wrong with one is part of its decision."""

    def __init__(self, settings: Settings, looks: Looks, state: State, clock: Clock, attempts: Attempts) -> None:
        self._settings = settings
        self._looks = looks
        self._state = state
        self._clock = clock
        self._attempts = attempts

    async def decide(self, wanted: Wanted, wished: Sequence[Destination]) -> Decided:
        """Read source and targets at the same time, then compare."""
        decided = Decided()
        async with asyncio.TaskGroup() as group:
            resolving = group.create_task(self._resolved(wanted))
            looking = [group.create_task(self._seen(to)) for to in wished]
        seen = [task.result() for task in looking]
        decided.lost += [_lost(wanted.source, [to], error) for to, error in seen if error]
        there = [to for to, error in seen if not error]
        resolution = resolving.result()
        if isinstance(resolution, SyncerError):
            self._unresolved(decided, wanted, there, resolution)
        else:
            await self._compare(decided, wanted, there, resolution)
        return decided

    async def _resolved(self, wanted: Wanted) -> Resolution | SyncerError:
        try:
            return await self._looks.resolve(wanted.source)
        except SyncerError as error:
            return error

    async def _seen(self, to: Destination) -> tuple[Destination, SyncerError | None]:
        try:
            return replace(to, before=await self._looks.current(to)), None
        except SyncerError as error:
            return to, error

    # nobody says what the tag means

    def _unresolved(self, decided: Decided, wanted: Wanted, there: Sequence[Destination], error: SyncerError) -> None:
        """Keep what was confirmed recently enough (law 2); the rest is lost."""
        kept = [skip for to in there if (skip := self._kept(wanted, to, error))]
        decided.skips += kept
        lost = [to for to in there if to not in [skip.destination for skip in kept]]
        decided.lost += [_lost(wanted.source, lost, error)] if lost else []

    def _kept(self, wanted: Wanted, to: Destination, error: SyncerError) -> Skip | None:
        """The tag as it is, if the source could not be asked and we saw lately that this is what it meant."""
        confirmed = self._state.confirmed(to.reference)
        if not _unasked(error) or confirmed is None or to.before is None:
            return None
        only = _only(wanted)
        meant = self._state.rewritten(confirmed.source_digest, only) if only else None
        expected = meant.digest if meant else confirmed.source_digest
        registry = self._settings.registries.get(wanted.source.registry) or default_registry(wanted.source.registry)
        age = self._clock.now() - confirmed.at
        if confirmed.source != wanted.source or expected != to.before or age > timedelta(seconds=registry.keep_for):
            return None
        return Skip(wanted.source, to, Why.KEPT, to.before, None, "kept", warning=Failure.of(error))

    # somebody does

    async def _compare(
        self, decided: Decided, wanted: Wanted, there: Sequence[Destination], resolution: Resolution
    ) -> None:
        walk = Walk(self._looks.source(wanted.source), self._attempts)
        copy = Copy(
            wanted.source,
            resolution.descriptor,
            resolution.descriptor,
            resolution.by,
            tuple(there),
            resolution.said,
            _only(wanted),
            wanted.referrers,
        )
        try:
            copy = replace(copy, landing=await self._landing(wanted, walk, copy.root))
            await self._lacking(decided, copy, walk)
        except* SyncerError as group:
            known = {skip.destination for skip in decided.skips}
            rest = [to for to in there if to not in known]
            decided.lost.append(_lost(wanted.source, rest, worst(group), copy))

    async def _landing(self, wanted: Wanted, walk: Walk, root: Descriptor) -> Descriptor:
        """What the tag will mean at the targets; remembered, so that an unchanged tag needs no manifest."""
        only = _only(wanted)
        if wanted.platforms is None or not only:
            return root
        lands = self._state.rewritten(root.digest, only)
        if lands is None:
            lands = landing(await walk.node(root), only).descriptor
            self._state.remember_rewritten(root.digest, only, lands)
        if wanted.platforms.rewrite is Rewrite.NEVER and lands.digest != root.digest:
            raise RewriteForbidden(
                f"{wanted.source} has more platforms than {', '.join(map(str, only))}, and no target takes an index "
                "without them"
            )
        return lands

    async def _lacking(self, decided: Decided, copy: Copy, walk: Walk) -> None:
        """Who has it already, and a copy for those who have not, if it can be copied at all."""
        graph = await walk.copy(copy) if copy.referrers or self._outdated(copy) else None
        lacking = [to for to in copy.destinations if not await self._settled(decided, copy, to, graph)]
        if not lacking:
            return
        graph = graph or await walk.copy(copy)
        _refuse_foreign(copy, graph)
        takers = self._takers(decided, copy, graph, lacking)
        if takers:
            decided.copies.append(replace(copy, destinations=tuple(takers), size=graph.size))

    def _outdated(self, copy: Copy) -> bool:
        return any(to.reference.tag and to.before != copy.landing.digest for to in copy.destinations)

    async def _settled(self, decided: Decided, copy: Copy, to: Destination, graph: Graph | None) -> bool:
        """Whether nothing is to be copied to `to`: all is there, or the target does not say."""
        try:
            if not await self._in_place(copy, to, graph):
                return False
        except SyncerError as error:
            decided.lost.append(_lost(copy.source, [to], error, copy))
        else:
            decided.skips.append(_up_to_date(copy, to))
        return True

    async def _in_place(self, copy: Copy, to: Destination, graph: Graph | None) -> bool:
        """Whether the tag is right, and whatever refers to the image is there too."""
        if to.reference.tag is not None and to.before != copy.landing.digest:
            return False
        asked = [node.descriptor for node in graph.nodes] if graph and copy.referrers else []
        asked = asked or ([] if to.reference.tag else [copy.landing])
        if not asked:
            return True
        target = self._looks.registry(to.target).target(to.reference.repository)
        return not await self._attempts.step(lambda: target.absent(asked))

    def _takers(self, decided: Decided, copy: Copy, graph: Graph, lacking: Sequence[Destination]) -> list[Destination]:
        """Those of `lacking` that can store this image; ECR refuses zero-length blobs."""
        empty = [d for d in graph.blobs.values() if d.size == 0]
        refusing = [to for to in lacking if empty and not self._looks.registry(to.target).traits.empty_blobs]
        if refusing:
            error = EmptyBlobRefused(f"{copy.source} has a blob of zero bytes, {empty[0].digest}")
            decided.lost.append(_lost(copy.source, refusing, error, copy))
        return [to for to in lacking if to not in refusing]


def _only(wanted: Wanted) -> tuple[Platform, ...]:
    return wanted.platforms.only if wanted.platforms else ()


def _unasked(error: SyncerError) -> bool:
    """Whether nobody could be asked, as opposed to somebody who knows having said no."""
    return isinstance(error, NetworkError | MirrorError) and not isinstance(error, NotFound)


def _lost(source: Reference, to: Sequence[Destination], error: SyncerError, copy: Copy | None = None) -> Lost:
    said, digest = (copy.said, copy.root.digest) if copy else ((), None)
    return Lost(source, tuple(to), Failure.of(error), error.blocked, said, digest)


def _up_to_date(copy: Copy, to: Destination) -> Skip:
    return Skip(
        copy.source,
        to,
        Why.UP_TO_DATE,
        copy.landing.digest,
        copy.root.digest,
        copy.resolved_by,
        copy.said,
        referrers=copy.referrers,
    )


def _refuse_foreign(copy: Copy, graph: Graph) -> None:
    foreign = next((d for d in graph.blobs.values() if d.foreign), None)
    if foreign is not None:
        raise ForeignLayer(f"{copy.source} has a layer that its registry does not hold, {foreign.digest}")
