"""What is to be done for one image: ask its source and its destinations at the same time, then compare."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.errors import SyncerError
from syncer.plan.model import Copy
from syncer.planning.comparing import Comparison, Decided, lost_to
from syncer.planning.guarding import Guard
from syncer.planning.keeping import Keeper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.attempts import Attempts
    from syncer.clock import Clock
    from syncer.content.places import Resolution
    from syncer.plan.model import Destination
    from syncer.planning.looks import Looks
    from syncer.planning.wishes import Wanted
    from syncer.settings.rules import Settings
    from syncer.state.records import State


class Decider:
    """Decides about images one by one. Whatever goes wrong with one is part of its decision."""

    def __init__(self, settings: Settings, looks: Looks, state: State, clock: Clock, attempts: Attempts) -> None:
        self._keeper = Keeper(settings, state)
        self._guard = Guard(state)
        self._looks = looks
        self._state = state
        self._clock = clock
        self._attempts = attempts

    async def decide(self, wanted: Wanted, wished: Sequence[Destination]) -> Decided:
        """What is to be done so that `wanted` is at every destination."""
        decided = Decided()
        async with asyncio.TaskGroup() as tasks:
            resolving = tasks.create_task(self._resolved(wanted))
            looking = [tasks.create_task(self._seen(to)) for to in wished]
        there = []
        for to, error in [task.result() for task in looking]:
            if error is None:
                there.append(to)
            else:
                decided.lost += lost_to(error, wanted.source, [to])
        resolution = resolving.result()
        if isinstance(resolution, SyncerError):
            self._keep(decided, wanted, there, resolution)
        else:
            for sparse, group in self._by_sparseness(there).items():
                copy = _copy(wanted, group, resolution)
                comparison = Comparison(self._looks, self._attempts, copy, decided, self._guard, sparse=sparse)
                await comparison.run(wanted, self._state, self._clock.now())
        return decided

    def _by_sparseness(self, there: Sequence[Destination]) -> dict[bool, list[Destination]]:
        """The destinations, by whether their registry takes an index without all of its children."""
        groups: dict[bool, list[Destination]] = {}
        for to in there:
            groups.setdefault(self._looks.registry(to.target).traits.sparse_indexes, []).append(to)
        return groups

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

    def _keep(self, decided: Decided, wanted: Wanted, there: Sequence[Destination], error: SyncerError) -> None:
        """Nobody says what the tag means: keep what may be kept, and lose the rest."""
        kept = {to: self._keeper.kept(wanted, to, error, self._clock.now()) for to in there}
        decided.skips += [skip for skip in kept.values() if skip]
        decided.lost += lost_to(error, wanted.source, [to for to, skip in kept.items() if not skip])


def _copy(wanted: Wanted, there: Sequence[Destination], resolution: Resolution) -> Copy:
    """The copy if all of `there` lacked the image, and nothing were cut down."""
    root = resolution.descriptor
    return Copy(
        wanted.source,
        root,
        root,
        resolution.by,
        tuple(there),
        resolution.said,
        wanted.only,
        wanted.referrers,
        deadline=wanted.terms.deadline,
    )
