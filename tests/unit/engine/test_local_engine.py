"""The engine that runs a plan in this process."""

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest
from builders import World, blob, hold, image

from syncer.engine.local import LocalEngine
from syncer.engine.stop import Stop
from syncer.planning.make import make_plan
from syncer.report.events import ImageFinished, ImageStarted, Noted, RunStarted, unseen
from syncer.report.model import Status
from syncer.state.memory import MemoryState
from syncer.transfer.tuning import Tuning

NAMES = "abcdefgh"


@pytest.fixture
def world() -> World:
    world = World()
    for name in NAMES:
        world.publish(f"{name}:1", image(blob(f"layer of {name}")))
    return world


async def run(world: World, *, jobs: int = 8, observe=unseen, state=None, tuning: Tuning | None = None):
    state = state or MemoryState()
    rules = [world.rule(name, "1") for name in NAMES]
    plan = await make_plan(world.settings(*rules), world, state, world.clock, world.attempts)
    engine = LocalEngine(world.attempts, world.clock, state, jobs=jobs, tuning=tuning)
    return await engine.run(plan, world, observe, Stop())


@pytest.mark.parametrize("jobs", [1, 3])
async def test_no_more_images_are_in_work_than_jobs(world: World, jobs: int):
    begun, most = set(), 0

    def watch(event: object) -> None:
        nonlocal most
        match event:
            case ImageStarted(source):
                begun.add(source)
                most = max(most, len(begun))
            case ImageFinished(outcome):
                begun.discard(outcome.source)

    await run(world, jobs=jobs, observe=watch)

    assert most == jobs


async def test_who_watches_hears_of_the_run_and_of_every_outcome(world: World):
    events = []

    outcomes = await run(world, observe=events.append)

    size = sum(outcome.bytes_moved for outcome in outcomes)
    assert events[0] == RunStarted(len(NAMES), size)
    assert {event.outcome for event in events if isinstance(event, ImageFinished)} == set(outcomes)


async def test_outcomes_come_by_source_and_target(world: World):
    outcomes = await run(world)

    assert [str(outcome.source) for outcome in outcomes] == [f"docker.io/library/{name}:1" for name in NAMES]


async def test_a_bug_of_one_image_ends_no_other(world: World):
    async def bug(verb: str, _what: object) -> None:
        if verb == "put_blob":
            raise ZeroDivisionError

    world.at("east", "library/c").before = bug

    outcomes = await run(world)

    assert {str(o.source): o.failure.code for o in outcomes if o.failure} == {"docker.io/library/c:1": "E900"}
    assert len(outcomes) == len(NAMES)


async def test_a_bug_of_no_image_in_particular_ends_the_run_and_hides_nothing_that_was_done(world: World):
    finished = []

    def observe(event) -> None:
        if isinstance(event, ImageFinished) and event.outcome.status is Status.COPIED:
            finished.append(event.outcome)
            raise ZeroDivisionError

    outcomes = await run(world, observe=observe, jobs=1)

    assert [o for o in outcomes if o.status is Status.COPIED] == finished
    assert {o.failure.code for o in outcomes if o.status is Status.FAILED} == {"E900"}
    assert len(outcomes) == len(NAMES)


async def test_what_was_verified_is_confirmed_and_what_failed_is_not(world: World):
    state = MemoryState()
    digest = hold(world.at_source("a"), image(blob("layer of a")), "1").digest
    world.at_source("b").lose(image(blob("layer of b")).root.layers[0].digest)

    outcomes = await run(world, state=state)

    by_source = {str(outcome.source.repository): outcome for outcome in outcomes}
    confirmed = state.confirmed(by_source["library/a"].target)
    assert (confirmed.source_digest, confirmed.digest, confirmed.at) == (digest, digest, world.clock.now())
    assert by_source["library/b"].status is Status.FAILED
    assert state.confirmed(by_source["library/b"].target) is None


async def test_what_planning_saw_is_confirmed_as_of_then(world: World):
    state = MemoryState()
    outcomes = await run(world)
    before = world.clock.now()
    rules = [world.rule(name, "1") for name in NAMES]
    plan = await make_plan(world.settings(*rules), world, state, world.clock, world.attempts)
    world.clock.advance(3600)

    await LocalEngine(world.attempts, world.clock, state).run(plan, world, unseen, Stop())

    assert state.confirmed(outcomes[0].target).at == before == datetime.fromisoformat(plan.created)


async def test_bytes_that_had_to_be_read_again_are_told(world: World):
    world.targets["east"].mounts = False
    base = blob("base", 10_000)
    for name in NAMES:
        hold(world.at_source(name), image(base, blob(f"only in {name}")), "1")
    notes = []

    await run(world, observe=notes.append, tuning=Tuning(shelf=0, shelved=20_000, windows=10_000))

    assert any(isinstance(note, Noted) and "more than once" in note.text for note in notes)


async def test_stopping_gently_waits_and_stopping_twice_does_not():
    stop = Stop(grace=30)
    passed = asyncio.create_task(stop.passed())
    stop.drain(143)
    await asyncio.sleep(0.01)
    assert (passed.done(), stop.requested, stop.exit_code) == (False, True, 143)

    stop.drain(130)

    await asyncio.wait_for(passed, 1)
    assert stop.exit_code == 143


async def test_the_grace_period_ends():
    stop = Stop(grace=0.01)
    stop.drain(130)

    await asyncio.wait_for(stop.passed(), 1)


async def test_a_plan_from_the_future_confirms_nothing_later_than_now(world: World):
    """Else `keep_for` would never end for its tags."""
    state = MemoryState()
    await run(world, state=state)
    rules = [world.rule(name, "1") for name in NAMES]
    plan = await make_plan(world.settings(*rules), world, state, world.clock, world.attempts)
    late = replace(plan, created="9999-01-01T00:00:00+00:00")

    (outcome, *_) = await LocalEngine(world.attempts, world.clock, state).run(late, world, unseen, Stop())

    assert state.confirmed(outcome.target).at <= world.clock.now()
