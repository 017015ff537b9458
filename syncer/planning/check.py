"""A plan made before, looked at again: whether its sources still mean what it says, and what it would do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.errors import Failure, SourceMoved, StalePlan, SyncerError
from syncer.plan.model import Copy, Lost, Plan, Skip
from syncer.planning.keeping import unasked
from syncer.report.model import Outcome, Status
from syncer.transfer.crowd import for_each
from syncer.transfer.outcomes import begun, given_up, skipped

if TYPE_CHECKING:
    from syncer.attempts import Attempts
    from syncer.content.places import Places
    from syncer.oci.digest import Digest
    from syncer.plan.model import Destination

BY_PLAN = "plan"
_AT_ONCE = 64


async def check_sources(plan: Plan, places: Places, attempts: Attempts) -> Plan:
    """`plan` with every source that means something else now as Lost, the others as they were.

    Where nobody can be asked, the plan itself says what the tag means: that is what a plan made elsewhere is for.
    Raises StalePlan where it names places that its targets are not.
    """
    _check_targets(plan, places)
    entries: tuple[Copy | Skip, ...] = (*plan.copies, *plan.skips)
    checked: dict[int, Copy | Skip | Lost] = {}

    async def check(position: int) -> None:
        checked[position] = await _checked(entries[position], places, attempts)

    await for_each(range(len(entries)), check, _AT_ONCE)
    found = [checked[position] for position in range(len(entries))]
    return replace(
        plan,
        copies=tuple(each for each in found if isinstance(each, Copy)),
        skips=tuple(each for each in found if isinstance(each, Skip)),
        lost=plan.lost + tuple(each for each in found if isinstance(each, Lost)),
    )


def _check_targets(plan: Plan, places: Places) -> None:
    """A variable in mirrors.yaml, or a hand in the plan, may have moved a target since; the report must not lie."""
    for copy in plan.copies:
        for to in copy.destinations:
            host = places.registry(to.target).identity
            if to.reference.registry != host:
                raise StalePlan(f"the plan says {to.reference} for target {to.target}, which is {host} now")


async def _checked(entry: Copy | Skip, places: Places, attempts: Attempts) -> Copy | Skip | Lost:
    tag, then = entry.source.tag, _meant(entry)
    if entry.source.digest not in {None, then}:
        return _lost(entry, SourceMoved(f"{entry.source} is another image than {then}, which the plan says it is"))
    if tag is None or entry.source.digest is not None or then is None:
        return entry
    try:
        resolution = await attempts.step(lambda: places.source(entry.source).resolve(tag))
    except SyncerError as error:
        if unasked(error):
            return replace(entry, resolved_by=BY_PLAN)
        return _lost(entry, error)
    now = resolution.descriptor.digest
    if now != then:
        return _lost(entry, SourceMoved(f"{entry.source} means {now} now; when the plan was made it meant {then}"))
    return entry


def _meant(entry: Copy | Skip) -> Digest | None:
    """What the source meant when the plan was made; None where nobody could be asked."""
    return entry.root.digest if isinstance(entry, Copy) else entry.source_digest


def _lost(entry: Copy | Skip, error: SyncerError) -> Lost:
    destinations = entry.destinations if isinstance(entry, Copy) else (entry.destination,)
    return Lost(entry.source, destinations, Failure.of(error), error.blocked, entry.said, _meant(entry))


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
