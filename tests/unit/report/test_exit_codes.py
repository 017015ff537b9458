"""The exit code of every mix of outcomes: the most severe wins."""

import itertools

import pytest

from syncer.errors import Failure
from syncer.oci.reference import Reference
from syncer.report.exit_code import exit_code
from syncer.report.model import Outcome, Report, Run, Status

RUN = Run("id", "sync", "2026-01-01T00:00:00+00:00", 1.0)


def outcome(status: Status, code: str = "", source: str = "docker.io/a:1", target: str = "east.example/a:1") -> Outcome:
    failure = Failure(code, "text") if code else None
    return Outcome(Reference.parse(source), Reference.parse(target), status, failure=failure)


def code(*outcomes: Outcome, interrupted: int | None = None, detailed: bool = False) -> int:
    return exit_code(Report(RUN, outcomes, interrupted=interrupted), detailed=detailed)


DONE = outcome(Status.COPIED, source="quay.io/done:1", target="west.example/done:1")
BY_SEVERITY = [
    (70, outcome(Status.FAILED, "E900")),
    (4, outcome(Status.FAILED, "E402")),
    (3, outcome(Status.FAILED, "E201", source="private.example/x:1")),
    (1, outcome(Status.FAILED, "E501")),
    (5, outcome(Status.DIFFERS)),
    (6, outcome(Status.DEFERRED, "E505")),
    (0, DONE),
]


@pytest.mark.parametrize(("severe", "mild"), [*itertools.combinations_with_replacement(BY_SEVERITY, 2)])
def test_the_most_severe_wins(severe, mild):
    assert code(severe[1], mild[1], DONE) == severe[0]
    assert code(mild[1], DONE, severe[1]) == severe[0]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.COPIED, 0),
        (Status.UP_TO_DATE, 0),
        (Status.KEPT, 0),
        (Status.OK, 0),
        (Status.ADD, 0),
        (Status.UPDATE, 0),
        (Status.FAILED, 1),
        (Status.BLOCKED, 1),
        (Status.DEFERRED, 6),
        (Status.DIFFERS, 5),
        (Status.MISSING, 5),
        (Status.CORRUPT, 4),
    ],
)
def test_each_status_alone(status: Status, expected: int):
    assert code(outcome(status), DONE) == expected


def test_every_status_has_its_code():
    assert {status for status in Status if code(outcome(status)) == 0} == {
        Status.COPIED,
        Status.UP_TO_DATE,
        Status.KEPT,
        Status.OK,
        Status.ADD,
        Status.UPDATE,
    }


def test_a_plan_that_changes_something_is_a_difference_only_if_asked():
    assert [code(outcome(status), detailed=True) for status in (Status.ADD, Status.UPDATE, Status.UP_TO_DATE)] == [
        5,
        5,
        0,
    ]
    assert exit_code(Report(RUN, (outcome(Status.ADD),))) == 0


def test_an_interrupted_run_says_so_whatever_else_it_met():
    assert code(outcome(Status.FAILED, "E402"), interrupted=143) == 143


def test_credentials_that_are_refused_for_every_image_of_a_registry_are_3():
    refused = [outcome(Status.FAILED, "E201", source=f"private.example/{name}:1") for name in "ab"]
    served = outcome(Status.COPIED, source="private.example/c:1")

    assert code(*refused, DONE) == 3
    assert code(*refused, served, DONE) == 1
    assert code(served, *refused, DONE) == 1


def test_credentials_that_a_target_refuses_for_every_image_are_3():
    refused = outcome(Status.FAILED, "E204", target="shut.example/a:1")

    assert code(refused, outcome(Status.COPIED), DONE) == 3


def test_a_token_service_that_fails_refuses_nobody():
    assert code(outcome(Status.FAILED, "E206")) == 1


def test_a_warning_on_a_kept_tag_is_no_failure():
    assert code(outcome(Status.KEPT, "E402"), DONE) == 0
