"""What a run came to, as one number (law 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.errors import Bug, TokenServiceFailed
from syncer.report.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from syncer.report.model import Outcome, Report

DONE = 0
FAILED = 1
CREDENTIALS = 3
INTEGRITY = 4
DIFFERENCES = 5
STOPPED_EARLY = 6
BUG = 70

_FAILED = frozenset({Status.FAILED, Status.BLOCKED})
_DIFFERENT = frozenset({Status.DIFFERS, Status.MISSING})
_WOULD_CHANGE = frozenset({Status.ADD, Status.UPDATE})


def exit_code(report: Report, *, detailed: bool = False) -> int:
    """The most severe of what happened; `detailed`: a plan that would change something counts as a difference."""
    outcomes = report.outcomes
    if report.interrupted is not None:
        return report.interrupted
    if severe := _severe(outcomes):
        return severe
    if any(outcome.status in _FAILED for outcome in outcomes):
        return FAILED
    different = _DIFFERENT | _WOULD_CHANGE if detailed else _DIFFERENT
    if any(outcome.status in different for outcome in outcomes):
        return DIFFERENCES
    return STOPPED_EARLY if any(outcome.status is Status.DEFERRED for outcome in outcomes) else DONE


def _severe(outcomes: Sequence[Outcome]) -> int | None:
    """What is worse than that some image failed."""
    if any(outcome.failure is not None and outcome.failure.code == Bug.code for outcome in outcomes):
        return BUG
    if any(_is_integrity(outcome) for outcome in outcomes):
        return INTEGRITY
    return CREDENTIALS if _shut_out(outcomes) else None


def _is_integrity(outcome: Outcome) -> bool:
    wrong = outcome.failure is not None and outcome.failure.code.startswith("E4")
    return outcome.status is Status.CORRUPT or (wrong and outcome.status in _FAILED)


def _shut_out(outcomes: Iterable[Outcome]) -> bool:
    """Whether some registry, source or target, refused our credentials for every one of its images."""
    refused: dict[str, bool] = {}
    for outcome in outcomes:
        for registry in (outcome.source.registry, outcome.target.registry):
            refused[registry] = refused.get(registry, True) and _is_refusal(outcome)
    return any(refused.values())


def _is_refusal(outcome: Outcome) -> bool:
    if outcome.failure is None or outcome.status not in _FAILED:
        return False
    return outcome.failure.code.startswith("E2") and outcome.failure.code != TokenServiceFailed.code
