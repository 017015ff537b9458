"""A run that is told to stop: what can be finished is, nothing incomplete is tagged, the rest is deferred."""

import asyncio

from builders import World, blob, complete, image

from syncer.engine.stop import Stop
from syncer.report.exit_code import exit_code
from syncer.report.model import Report, Run, Status


def publish(world: World) -> list:
    for name in "abc":
        world.publish(f"{name}:1", image(blob(f"layer of {name}")))
    return [world.rule(name, "1") for name in "abc"]


async def test_what_is_under_way_is_finished_and_nothing_new_begins(world: World, sync):
    rules, stop = publish(world), Stop()

    async def signal(verb: str, _what: object) -> None:
        if verb == "put_blob" and not stop.requested:
            stop.drain(143)

    world.at("east", "library/a").before = signal
    outcomes = await sync(world, *rules, stop=stop, jobs=1)

    assert [outcome.status for outcome in outcomes] == [Status.COPIED, Status.DEFERRED, Status.DEFERRED]
    assert {outcome.failure.code for outcome in outcomes[1:]} == {"E512"}
    assert world.at("east", "library/b").named == {}
    run = Run("id", "sync", "2026-01-01T00:00:00+00:00", 1.0)
    assert exit_code(Report(run, outcomes, interrupted=stop.exit_code)) == 143


async def hung(world: World, sync, stop: Stop, during) -> list:
    rules = publish(world)

    async def hang(verb: str, _what: object) -> None:
        if verb == "put_manifest":
            during()
            await asyncio.Event().wait()

    world.at("east", "library/a").before = hang
    return [outcome.status for outcome in await sync(world, *rules, stop=stop, jobs=1)]


async def test_what_is_not_finished_within_the_grace_period_is_ended(world: World, sync):
    stop = Stop(grace=0.05)

    statuses = await asyncio.wait_for(hung(world, sync, stop, lambda: stop.drain(130)), 5)

    assert statuses == [Status.DEFERRED] * 3
    assert complete(world.at("east", "library/a"))


async def test_a_second_signal_ends_the_run_at_once(world: World, sync):
    stop = Stop(grace=60)

    def signals() -> None:
        stop.drain(130)
        stop.drain(130)

    statuses = await asyncio.wait_for(hung(world, sync, stop, signals), 5)

    assert statuses == [Status.DEFERRED] * 3


async def test_a_target_that_was_finished_stays_finished(sync):
    world, stop = World("east", "west"), Stop(grace=0.05)
    world.publish("a:1", image(blob("a")))

    async def hang(verb: str, _what: object) -> None:
        if verb == "put_manifest":
            stop.drain(130)
            await asyncio.Event().wait()

    world.at("west", "library/a").before = hang
    outcomes = await asyncio.wait_for(sync(world, world.rule("a", "1"), stop=stop), 5)

    assert [outcome.status for outcome in outcomes] == [Status.COPIED, Status.DEFERRED]
