"""A run whose time is over: what is under way is finished, the rest is deferred, and the exit code says so."""

import asyncio

from builders import World, blob, image

from syncer.engine.stop import Stop
from syncer.report.exit_code import STOPPED_EARLY, exit_code
from syncer.report.model import Report, Run, Status

RUN = Run("id", "sync", "2026-01-01T00:00:00+00:00", 1.0)


def publish(world: World) -> list:
    for name in "abc":
        world.publish(f"{name}:1", image(blob(f"layer of {name}")))
    return [world.rule(name, "1") for name in "abc"]


async def test_what_is_under_way_is_finished_and_the_rest_is_deferred_with_exit_6(world: World, sync):
    rules, stop = publish(world), Stop()

    async def over(verb: str, _what: object) -> None:
        if verb == "put_blob":
            stop.expire()

    world.at("east", "library/a").before = over
    outcomes = await sync(world, *rules, stop=stop, jobs=1)

    assert [outcome.status for outcome in outcomes] == [Status.COPIED, Status.DEFERRED, Status.DEFERRED]
    assert {outcome.failure.code for outcome in outcomes[1:]} == {"E513"}
    assert exit_code(Report(RUN, tuple(outcomes), interrupted=stop.exit_code)) == STOPPED_EARLY


async def hung(world: World, sync, stop: Stop, during) -> list:
    """The outcomes of a run whose first image never ends by itself."""
    rules = publish(world)

    async def hang(verb: str, _what: object) -> None:
        if verb == "put_manifest":
            during()
            await asyncio.Event().wait()

    world.at("east", "library/a").before = hang
    return await asyncio.wait_for(sync(world, *rules, stop=stop, jobs=1), 5)


async def test_what_is_not_finished_within_the_grace_period_is_deferred_too(world: World, sync):
    stop = Stop(grace=0.05)

    outcomes = await hung(world, sync, stop, stop.expire)

    assert [outcome.failure.code for outcome in outcomes] == ["E513"] * 3


async def test_a_signal_after_the_time_is_over_decides_the_exit_code_and_a_second_one_ends_it(world: World, sync):
    stop = Stop(grace=60)

    def signals() -> None:
        stop.expire()
        stop.drain(143)
        stop.drain(143)

    outcomes = await hung(world, sync, stop, signals)

    assert [outcome.failure.code for outcome in outcomes] == ["E512"] * 3
    assert exit_code(Report(RUN, tuple(outcomes), interrupted=stop.exit_code)) == 143


async def test_a_run_that_is_done_in_time_is_done(world: World, sync):
    rules, stop = publish(world), Stop()
    outcomes = await sync(world, *rules, stop=stop)
    stop.expire()

    assert exit_code(Report(RUN, tuple(outcomes), interrupted=stop.exit_code)) == 0
