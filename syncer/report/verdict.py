"""What an error makes of an outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.errors import Failure, IntegrityError, Interrupted, PullBudgetSpent, SyncerError, TimeIsUp, leaves
from syncer.report.model import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFERRED = frozenset({PullBudgetSpent.code, Interrupted.code, TimeIsUp.code})
"""Codes of what is not wrong, only put off: the same command will do it later."""


def worst(errors: BaseException | Iterable[BaseException]) -> SyncerError:
    """Of several errors that ended one image the one to read first: wrong bytes, then what only a person can change.

    Anything that is not a SyncerError is a bug, and raised.
    """
    found = [*leaves(errors)] if isinstance(errors, BaseException) else [*errors]
    known = [error for error in found if isinstance(error, SyncerError)]
    for error in found:
        if not isinstance(error, SyncerError):
            raise error
    return max(known, key=lambda error: (isinstance(error, IntegrityError), error.blocked, not error.transient))


def status_of(failure: Failure, *, blocked: bool) -> Status:
    """How a failure is reported by a command that moves images."""
    if failure.code in DEFERRED:
        return Status.DEFERRED
    return Status.BLOCKED if blocked else Status.FAILED


def failed(outcome: Outcome, error: SyncerError) -> Outcome:
    """`outcome`, ended by `error`."""
    failure = Failure.of(error)
    return replace(outcome, status=status_of(failure, blocked=error.blocked), failure=failure)
