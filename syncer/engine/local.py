"""The engine that runs a plan in this process, on this event loop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from syncer.report.events import ImageFinished, Noted, RunStarted
from syncer.report.verdict import failed, worst
from syncer.state.records import Confirmed
from syncer.transfer.copying import Transfer
from syncer.transfer.crowd import for_each
from syncer.transfer.outcomes import begun, given_up, skipped

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from syncer.attempts import Attempts
    from syncer.clock import Clock
    from syncer.content.places import Places
    from syncer.engine.stop import Stop
    from syncer.errors import SyncerError
    from syncer.oci.reference import Reference
    from syncer.plan.model import Copy, Destination, Plan
    from syncer.report.events import Observer
    from syncer.report.model import Outcome
    from syncer.state.records import State
    from syncer.state.spool import Spool
    from syncer.transfer.tuning import Tuning


class LocalEngine:
    """Runs `jobs` image copies at a time. What one of them meets is an outcome, and be it a bug of ours."""

    def __init__(
        self,
        attempts: Attempts,
        clock: Clock,
        state: State,
        *,
        jobs: int = 64,
        tuning: Tuning | None = None,
        spool: Spool | None = None,
    ) -> None:
        self._attempts = attempts
        self._clock = clock
        self._state = state
        self._jobs = jobs
        self._tuning = tuning
        self._spool = spool

    async def run(self, plan: Plan, places: Places, observe: Observer, stop: Stop) -> tuple[Outcome, ...]:
        """One outcome for each destination of `plan`, whatever happens, in the order of sources and targets."""
        book = _Book(self._state, self._clock, observe)
        observe(RunStarted(_destinations(plan), sum(copy.size for copy in plan.copies)))
        for outcome in _decided(plan):
            book.add(outcome)
        self._confirm_skips(plan)
        met = None
        try:
            await self._copy_all(plan, places, book, stop)
        except Exception as error:  # noqa: BLE001 - a bug of no single image: what was done before it is still told
            met = worst(error)
        for outcome in _unfinished(plan, book.finished, stop, met):
            book.add(outcome)
        return book.outcomes

    async def _copy_all(self, plan: Plan, places: Places, book: _Book, stop: Stop) -> None:
        async with asyncio.TaskGroup() as readers:
            transfer = Transfer(self._attempts, self._clock, book.observe, readers, self._tuning, self._spool)
            transfer.found_something_in(_tagged(plan))

            async def one(copy: Copy) -> None:
                await transfer.copy(copy, places, lambda to, outcome: book.finish(copy, to, outcome))

            largest_first = sorted(plan.copies, key=lambda copy: copy.size, reverse=True)
            next_ones = takewhile(lambda _: not stop.requested, largest_first)
            await _until(stop, for_each(next_ones, one, self._jobs))
            if transfer.read_again:
                book.observe(Noted(f"{transfer.read_again} bytes were read from sources more than once"))

    def _confirm_skips(self, plan: Plan) -> None:
        """What planning saw up to date is confirmed as of then; a plan from the future is one with a wrong clock."""
        at = min(datetime.fromisoformat(plan.created), self._clock.now())
        for skip in plan.skips:
            if skip.source_digest is not None:
                confirmed = Confirmed(skip.source, skip.source_digest, skip.digest, at)
                self._state.confirm(skip.destination.reference, confirmed)


class _Book:
    """The outcomes so far, each written down and announced once."""

    def __init__(self, state: State, clock: Clock, observe: Observer) -> None:
        self.observe = observe
        self.finished: set[tuple[Reference, Destination]] = set()
        self._outcomes: list[Outcome] = []
        self._state = state
        self._clock = clock

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """All of them, by source and target."""
        return tuple(sorted(self._outcomes, key=lambda outcome: (str(outcome.source), str(outcome.target))))

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self._outcomes.append(outcome)
        self.observe(ImageFinished(outcome))

    def finish(self, copy: Copy, to: Destination, outcome: Outcome) -> None:
        """The end of one copy to one destination; what was verified is confirmed."""
        self.finished.add((copy.source, to))
        self.add(outcome)
        if outcome.verified:
            confirmed = Confirmed(copy.source, copy.root.digest, copy.landing.digest, self._clock.now())
            self._state.confirm(to.reference, confirmed)


async def _until(stop: Stop, work: Coroutine[None, None, None]) -> None:
    """Do `work`, and end it when `stop` says so."""

    async def watch(working: asyncio.Task[None]) -> None:
        await stop.passed()
        working.cancel()

    async with asyncio.TaskGroup() as group:
        working = group.create_task(work)
        watching = group.create_task(watch(working))
        working.add_done_callback(lambda _: watching.cancel())


def _destinations(plan: Plan) -> int:
    copies = sum(len(copy.destinations) for copy in plan.copies)
    return copies + len(plan.skips) + sum(len(lost.destinations) for lost in plan.lost)


def _tagged(plan: Plan) -> Iterator[Destination]:
    """Destinations whose tag planning saw at the target."""
    yield from (skip.destination for skip in plan.skips)
    planned = [copy.destinations for copy in plan.copies] + [lost.destinations for lost in plan.lost]
    yield from (to for destinations in planned for to in destinations if to.before is not None)


def _decided(plan: Plan) -> Iterator[Outcome]:
    """What needs no work: skips and lost images."""
    for skip in plan.skips:
        yield skipped(skip)
    for lost in plan.lost:
        for to in lost.destinations:
            yield given_up(lost, to)


def _unfinished(
    plan: Plan, finished: set[tuple[Reference, Destination]], stop: Stop, met: SyncerError | None
) -> Iterator[Outcome]:
    """The copies that were not finished before the run was told to stop, or `met` its end."""
    for copy in plan.copies:
        for to in copy.destinations:
            if (copy.source, to) not in finished:
                why = met or stop.refusal(f"{to.reference} was in place")
                yield failed(replace(begun(copy, to), attempts=0), why)
