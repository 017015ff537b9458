"""Law 7: nothing that failed, was skipped for a reason, or was put off is reported as done."""

import pytest
from builders import World, blob, image

from syncer.errors import (
    LandedDiffers,
    NoHonestSource,
    NotFound,
    PullBudgetSpent,
    SyncerError,
    TagImmutable,
    Unauthorized,
)
from syncer.report.exit_code import exit_code
from syncer.report.model import Report, Run, Status

RUN = Run("id", "sync", "2026-01-01T00:00:00+00:00", 1.0)
CASES = [
    ("resolve", NotFound("gone"), Status.FAILED, 1),
    ("resolve", Unauthorized("who are you"), Status.FAILED, 3),
    ("manifest", PullBudgetSpent("100 of 100"), Status.DEFERRED, 6),
    ("blob", NoHonestSource("all lied"), Status.FAILED, 4),
]
AT_TARGET = [
    ("current", Unauthorized("who are you"), Status.FAILED, 3),
    ("put_manifest", TagImmutable("it stays"), Status.BLOCKED, 1),
    ("resolve", LandedDiffers("not ours"), Status.FAILED, 4),
]


async def told(world: World, sync) -> tuple[Status, int]:
    world.publish("app:1", image(blob("a")))
    (outcome,) = await sync(world, world.rule("app", "1"))
    return outcome.status, exit_code(Report(RUN, (outcome,)))


@pytest.mark.parametrize(("verb", "error", "status", "code"), CASES)
async def test_law_7_what_the_source_refuses_shows(world: World, sync, verb, error: SyncerError, status, code):
    world.at_source("app").fail(verb, *[error] * 3)

    assert await told(world, sync) == (status, code)


@pytest.mark.parametrize(("verb", "error", "status", "code"), AT_TARGET)
async def test_law_7_what_the_target_refuses_shows(world: World, sync, verb, error: SyncerError, status, code):
    world.at("east", "library/app").fail(verb, *[error] * 3)

    assert await told(world, sync) == (status, code)


async def test_law_7_everything_in_place_is_0_and_stays_0(world: World, sync):
    assert await told(world, sync) == (Status.COPIED, 0)
    assert await told(world, sync) == (Status.UP_TO_DATE, 0)


async def test_law_7_there_is_one_outcome_for_each_source_tag_and_target(sync):
    world = World("east", "west")
    world.publish("app:1", image(blob("a")))
    world.publish("app:2", image(blob("b")))
    world.at("west", "library/app").fail("current", NotFound("no such repository"))

    outcomes = await sync(world, world.rule("app", "*"), world.rule("gone", "1"), world.rule("unlisted", "*"))

    assert [f"{outcome.source} {outcome.target}" for outcome in outcomes] == [
        f"docker.io/library/{source} {target}.example/library/{source}"
        for source in ("app:1", "app:2", "gone:1", "unlisted")
        for target in ("east", "west")
    ]
