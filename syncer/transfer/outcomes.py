"""What the entries of a plan become in a report, before or without any work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.report.model import Outcome, Status
from syncer.report.verdict import status_of

if TYPE_CHECKING:
    from syncer.plan.model import Copy, Destination, Lost, Skip


def begun(copy: Copy, to: Destination) -> Outcome:
    """What is known of a copy before anything was done; not done is failed."""
    return Outcome(
        copy.source,
        to.reference,
        Status.FAILED,
        digest=to.before,
        source_digest=copy.root.digest,
        resolved_by=copy.resolved_by,
        attempts=1,
        left_out=copy.left_out,
        said=copy.said,
    )


def skipped(skip: Skip) -> Outcome:
    """A destination that needs nothing; planning has looked at it."""
    return Outcome(
        skip.source,
        skip.destination.reference,
        Status(skip.why.value),
        digest=skip.digest,
        source_digest=skip.source_digest,
        resolved_by=skip.resolved_by,
        verified=skip.warning is None,
        failure=skip.warning,
        said=skip.said,
    )


def given_up(lost: Lost, to: Destination) -> Outcome:
    """A destination that cannot be served."""
    return Outcome(
        lost.source,
        to.reference,
        status_of(lost.failure, blocked=lost.blocked),
        digest=to.before,
        source_digest=lost.source_digest,
        failure=lost.failure,
        said=lost.said,
    )
