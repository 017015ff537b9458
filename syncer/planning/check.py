"""A plan made before, looked at again: whether its sources still mean what it says, and what it would do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.errors import Failure, SourceMoved, SyncerError
from syncer.plan.model import Copy, Lost, Plan
from syncer.planning.keeping import unasked
from syncer.report.model import Outcome, Status
from syncer.transfer.crowd import for_each
from syncer.transfer.outcomes import begun, given_up, skipped

if TYPE_CHECKING:
    from syncer.attempts import Attempts
    from syncer.content.places import Places
    from syncer.plan.model import Destination

BY_PLAN = "plan"
_AT_ONCE = 64


async def check_sources(plan: Plan, places: Places, attempts: Attempts) -> Plan:
    """`plan` with every source that means something else now as Lost, the others as they were.

    Where nobody can be asked, the plan itself says what the tag means: that is what a plan made elsewhere is for.
    """
    checked: dict[int, Copy | Lost] = {}

    async def check(position: int) -> None:
        checked[position] = await _checked(plan.copies[position], places, attempts)

    await for_each(range(len(plan.copies)), check, _AT_ONCE)
    found = [checked[position] for position in range(len(plan.copies))]
    copies = tuple(each for each in found if isinstance(each, Copy))
    return replace(plan, copies=copies, lost=plan.lost + tuple(each for each in found if isinstance(each, Lost)))


async def _checked(copy: Copy, places: Places, attempts: Attempts) -> Copy | Lost:
    tag = copy.source.tag
    if tag is None or copy.source.digest is not None:
        return copy
    try:
        resolution = await attempts.step(lambda: places.source(copy.source).resolve(tag))
    except SyncerError as error:
        if unasked(error):
            return replace(copy, resolved_by=BY_PLAN)
        return _lost(copy, error)
    if resolution.descriptor.digest != copy.root.digest:
        now, then = resolution.descriptor.digest, copy.root.digest
        return _lost(copy, SourceMoved(f"{copy.source} means {now} now; when the plan was made it meant {then}"))
    return copy


def _lost(copy: Copy, error: SyncerError) -> Lost:
    return Lost(copy.source, copy.destinations, Failure.of(error), error.blocked, copy.said, copy.root.digest)


def preview(plan: Plan) -> tuple[Outcome, ...]:
    """What running `plan` would come to, one outcome for each destination, by source and target."""
    outcomes = [_copied(copy, to) for copy in plan.copies for to in copy.destinations]
    outcomes += [skipped(skip) for skip in plan.skips]
    outcomes += [_lost_now(lost, to) for lost in plan.lost for to in lost.destinations]
    return tuple(sorted(outcomes, key=lambda outcome: (str(outcome.source), str(outcome.target))))


def _copied(copy: Copy, to: Destination) -> Outcome:
    status = Status.ADD if to.before is None else Status.UPDATE
    return replace(begun(copy, to), status=status, digest=copy.landing.digest, attempts=0)


def _lost_now(lost: Lost, to: Destination) -> Outcome:
    """A plan defers nothing: what cannot be planned now has failed."""
    return replace(given_up(lost, to), status=Status.BLOCKED if lost.blocked else Status.FAILED)
