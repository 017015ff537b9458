"""What an error makes of an outcome."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.errors import (
    Bug,
    Failure,
    IntegrityError,
    Interrupted,
    Parked,
    PullBudgetSpent,
    SyncerError,
    TimeIsUp,
    leaves,
)
from syncer.report.model import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFERRED = frozenset({PullBudgetSpent.code, Parked.code, Interrupted.code, TimeIsUp.code})
"""Codes of what is not wrong, only put off: the same command will do it later."""


def worst(errors: BaseException | Iterable[BaseException]) -> SyncerError:
    """Of several errors that ended one image the one to read first: bugs, wrong bytes, what only a person can change.

    Anything that is not a SyncerError is a bug: it is told, and costs no other image anything.
    """
    found = leaves(errors) if isinstance(errors, BaseException) else errors
    known = [error if isinstance(error, SyncerError) else _bug(error) for error in found]
    return max(known, key=_severity)


def _bug(error: BaseException) -> Bug:
    """What reports say of `error`, which nobody expected; where it came from is for the log, without its secrets."""
    logging.getLogger("syncer").critical("this should not have happened", exc_info=error)
    return Bug(f"syncer met something that it did not expect: {type(error).__name__}")


def _severity(error: SyncerError) -> tuple[bool, ...]:
    return (isinstance(error, Bug), isinstance(error, IntegrityError), error.blocked, not error.transient)


def status_of(failure: Failure, *, blocked: bool) -> Status:
    """How a failure is reported by a command that moves images."""
    if failure.code in DEFERRED:
        return Status.DEFERRED
    return Status.BLOCKED if blocked else Status.FAILED


def failed(outcome: Outcome, error: SyncerError) -> Outcome:
    """`outcome`, ended by `error`."""
    failure = Failure.of(error)
    return replace(outcome, status=status_of(failure, blocked=error.blocked), failure=failure)
