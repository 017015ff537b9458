"""Law 5: every repetition is decided in one place; looks, fetches and delivers have each a count of their own."""

import pytest
from builders import World, blob, hold, image

from syncer.errors import Denied, ServerError, Unreachable
from syncer.report.model import Status

WHAT = image(blob("layer", 5_000_000))
LAYER = WHAT.root.layers[0].digest


@pytest.mark.parametrize("verb", ["put_blob", "put_manifest", "absent", "resolve"])
async def test_law_5_a_passing_fault_at_the_target_is_survived(world: World, sync, verb: str):
    world.publish("app:1", WHAT)
    hold(world.at("east", "library/app"), image(blob("older")), "1")
    world.at("east", "library/app").fail(verb, ServerError("503"), ServerError("503"))

    (outcome,) = await sync(world, world.rule("app", "1"))

    assert (outcome.status, outcome.attempts) == (Status.COPIED, 3)
    assert len(world.clock.slept) == 2


@pytest.mark.parametrize(("verb", "calls"), [("resolve", 1), ("manifest", 1), ("blob", 2)])
async def test_law_5_a_refusal_is_not_repeated(world: World, sync, verb: str, calls: int):
    world.publish("app:1", WHAT)
    source = world.at_source("app")
    source.fail(verb, *[Denied("403")] * 20)

    (outcome,) = await sync(world, world.rule("app", "1"), jobs=1)

    assert (outcome.status, outcome.failure.code) == (Status.FAILED, "E202")
    assert len(source.called(verb)) <= calls
    assert world.clock.slept == []


async def test_law_5_a_fetch_that_is_given_up_is_not_delivered_again(world: World, sync):
    """Six attempts, not six times six: the deliver step does not repeat what the fetch step gave up."""
    world.publish("app:1", WHAT)
    source = world.at_source("app")

    async def dead(verb: str, what: object) -> None:
        if verb == "blob" and what == LAYER:
            raise Unreachable("no route", host="docker.io")

    source.before = dead
    (outcome,) = await sync(world, world.rule("app", "1"))

    assert (outcome.status, outcome.failure.code) == (Status.FAILED, "E501")
    assert source.called("blob").count(LAYER) == 6
    assert world.at("east", "library/app").called("put_blob").count(LAYER) == 1


async def test_law_5_progress_makes_the_attempts_count_anew(world: World, sync):
    world.publish("app:1", WHAT)
    world.at_source("app").cut(LAYER, *[600_000] * 8)

    (outcome,) = await sync(world, world.rule("app", "1"))

    assert outcome.status is Status.COPIED
