"""What an error makes of an image."""

import logging

import pytest

from syncer.errors import (
    CorruptContent,
    Interrupted,
    NotFound,
    PullBudgetSpent,
    ServerError,
    SyncerError,
    TagImmutable,
)
from syncer.oci.reference import Reference
from syncer.report.model import Outcome, Status
from syncer.report.verdict import failed, worst

OUTCOME = Outcome(Reference.parse("a:1"), Reference.parse("b.example/a:1"), Status.COPIED)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("gone"), Status.FAILED),
        (TagImmutable("stays"), Status.BLOCKED),
        (PullBudgetSpent("100 of 100"), Status.DEFERRED),
        (Interrupted("stop"), Status.DEFERRED),
    ],
)
def test_an_error_decides_the_status(error: SyncerError, status: Status):
    ended = failed(OUTCOME, error)

    assert (ended.status, ended.failure.message) == (status, str(error))


def test_of_several_errors_the_worst_is_told():
    corrupt, blocked, gone, passing = CorruptContent("c"), TagImmutable("b"), NotFound("g"), ServerError("s")

    assert worst(ExceptionGroup("", [passing, ExceptionGroup("", [gone, blocked, corrupt])])) is corrupt
    assert worst(ExceptionGroup("", [passing, gone, blocked])) is blocked
    assert worst([passing, gone]) is gone


def test_a_bug_comes_before_all_and_only_the_log_says_more_than_its_kind(caplog):
    met = worst(ExceptionGroup("", [CorruptContent("c"), ZeroDivisionError("https://joe:sesame@host/")]))

    assert (met.code, met.message) == ("E900", "syncer met something that it did not expect: ZeroDivisionError")
    assert caplog.record_tuples == [("syncer", logging.CRITICAL, "this should not have happened")]
    assert "ZeroDivisionError: https" in caplog.text
