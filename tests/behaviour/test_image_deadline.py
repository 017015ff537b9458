"""`deadline`: an image that takes too long fails by name, and the others go on."""

import asyncio
import time

import pytest
from builders import World, blob, image

from syncer.report.exit_code import FAILED, exit_code
from syncer.report.model import Report, Run, Status
from syncer.settings.terms import Terms

RUN = Run("id", "sync", "2026-01-01T00:00:00+00:00", 1.0)
SHARED = blob("shared layer")


def publish(world: World, seconds: float = 0.2):
    for name in "abc":
        world.publish(f"{name}:1", image(SHARED, blob(f"layer of {name}")))
    return [world.rule(name, "1", terms=Terms(deadline=seconds if name == "a" else 60)) for name in "abc"]


def hangs_at(place, verb: str) -> list[str]:
    """From now on `verb` never ends there; what was asked of it."""
    met: list[str] = []

    async def before(called: str, _what: object) -> None:
        if called == verb:
            met.append(called)
            await asyncio.Event().wait()

    place.before = before
    return met


@pytest.mark.parametrize("jobs", [1, 8])
@pytest.mark.parametrize("verb", ["put_blob", "put_manifest", "resolve"])
async def test_a_target_that_never_answers_costs_its_own_image_only(sync, verb, jobs):
    world = World("east")
    rules = publish(world)
    met = hangs_at(world.at("east", "library/a"), verb)
    began = time.monotonic()

    late, *others = await asyncio.wait_for(sync(world, *rules, jobs=jobs), 10)

    assert met
    assert (late.status, late.failure.code, late.verified) == (Status.FAILED, "E514", False)
    assert "docker.io/library/a:1" in late.failure.message
    assert [outcome.status for outcome in others] == [Status.COPIED] * 2
    assert time.monotonic() - began < 5
    assert exit_code(Report(RUN, (late, *others))) == FAILED


async def test_a_source_that_never_sends_costs_its_own_image_only(sync):
    world = World("east")
    rules = publish(world)
    met = hangs_at(world.at_source("a"), "blob")

    late, *others = await asyncio.wait_for(sync(world, *rules), 10)

    assert met
    assert late.failure.code == "E514"
    assert [outcome.status for outcome in others] == [Status.COPIED] * 2
    assert not world.at("east", "library/a").named


async def test_one_target_that_is_too_slow_costs_no_other_its_image(sync):
    world = World("east", "west")
    rules = publish(world, 0.5)
    hangs_at(world.at("west", "library/a"), "put_manifest")

    outcomes = await asyncio.wait_for(sync(world, *rules), 10)

    statuses = {str(outcome.target): outcome.status for outcome in outcomes}
    slow = f"{world.targets['west'].identity}/library/a:1"
    assert statuses.pop(slow) is Status.FAILED
    assert set(statuses.values()) == {Status.COPIED}
    assert len(statuses) == 5


async def test_what_runs_out_of_time_by_itself_is_not_taken_for_a_late_image(sync, caplog):
    world = World("east")
    rules = publish(world, 60)

    async def timeless(verb: str, _what: object) -> None:
        if verb == "put_manifest":
            raise TimeoutError

    world.at("east", "library/a").before = timeless
    failed, *_ = await sync(world, *rules)

    assert failed.failure.code == "E900"
    assert "TimeoutError" in caplog.text
