"""A plan as outcomes, so that `plan` prints and exports with the words of every other command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.plan.model import Why
from syncer.report.model import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.plan.model import Copy, Lost, Plan, Skip

_SKIPPED = {Why.UP_TO_DATE: Status.UP_TO_DATE, Why.KEPT: Status.KEPT}


def outlook(plan: Plan) -> tuple[Outcome, ...]:
    """What will become of every image at every target, one Outcome each."""
    return (
        *(outcome for copy in plan.copies for outcome in _copies(copy)),
        *(_skipped(skip) for skip in plan.skips),
        *(outcome for lost in plan.lost for outcome in _lost(lost)),
    )


def _copies(copy: Copy) -> Iterator[Outcome]:
    for destination in copy.destinations:
        yield Outcome(
            copy.source,
            destination.reference,
            Status.ADD if destination.before is None else Status.UPDATE,
            digest=copy.landing.digest,
            source_digest=copy.root.digest,
            resolved_by=copy.resolved_by,
            said=copy.said,
        )


def _skipped(skip: Skip) -> Outcome:
    return Outcome(
        skip.source,
        skip.destination.reference,
        _SKIPPED[skip.why],
        digest=skip.digest,
        source_digest=skip.source_digest,
        resolved_by=skip.resolved_by,
        failure=skip.warning,
        said=skip.said,
    )


def _lost(lost: Lost) -> Iterator[Outcome]:
    for destination in lost.destinations:
        yield Outcome(
            lost.source,
            destination.reference,
            Status.BLOCKED if lost.blocked else Status.FAILED,
            digest=destination.before,
            source_digest=lost.source_digest,
            failure=lost.failure,
            said=lost.said,
        )
