"""What every Engine promises: one outcome for each destination of a plan, whatever happens."""

import pytest
from builders import World, complete, image, two_platforms

from syncer.app import kinds
from syncer.engine.stop import Stop
from syncer.errors import Unreachable
from syncer.planning.make import make_plan
from syncer.report.events import ImageFinished, unseen
from syncer.report.model import Status
from syncer.state.memory import MemoryState


@pytest.fixture(params=kinds.ENGINES)
def run(request):
    """Plans the rules of a world and lets the engine run the plan; what it saw is in `seen`."""

    async def planned_and_run(world, *rules, observe=unseen, stop=None):
        state = MemoryState()
        plan = await make_plan(world.settings(*rules), world, state, world.clock, world.attempts)
        engine = kinds.load(kinds.ENGINES[request.param])(world.attempts, world.clock, state, jobs=2)
        return await engine.run(plan, world, observe, stop or Stop())

    return planned_and_run


@pytest.fixture
def world():
    made = World("east", "west")
    made.publish("app:1", two_platforms())
    made.publish("tool:1", image(b"tool"))
    return made


def rules(world):
    return world.rule("app", "1"), world.rule("tool", "1"), world.rule("gone", "1")


async def test_every_destination_has_one_outcome_also_what_could_not_be_planned(run, world):
    outcomes = await run(world, *rules(world))

    assert len({outcome.target for outcome in outcomes}) == len(outcomes) == 6
    assert [o.status for o in outcomes if "gone" in str(o.target)] == [Status.FAILED] * 2
    assert [o.status for o in outcomes if "gone" not in str(o.target)] == [Status.COPIED] * 4
    assert all(complete(world.at(name, f"library/{what}")) for name in ("east", "west") for what in ("app", "tool"))


async def test_each_outcome_is_told_once_while_it_runs(run, world):
    seen = []

    outcomes = await run(world, *rules(world), observe=seen.append)

    told = [event.outcome for event in seen if isinstance(event, ImageFinished)]
    assert sorted(map(str, told)) == sorted(map(str, outcomes))


async def test_what_fails_at_one_target_does_not_fail_at_another(run, world):
    async def dead(_verb: str, _what: object) -> None:
        raise Unreachable("no connection", host="east.example")

    world.at("east", "library/tool").before = dead
    outcomes = await run(world, world.rule("tool", "1"))

    assert {o.target.registry: o.status for o in outcomes} == {
        "east.example": Status.FAILED,
        "west.example": Status.COPIED,
    }


async def test_a_bug_is_told_aloud_and_stops_nothing_else(run, world, caplog):
    async def broken(verb: str, _what: object) -> None:
        if verb == "put_manifest":
            raise ZeroDivisionError

    world.at("east", "library/tool").before = broken
    outcomes = await run(world, world.rule("tool", "1"), world.rule("app", "1"))

    told = {(str(o.target.registry), o.target.repository.value): o.failure and o.failure.code for o in outcomes}
    assert told.pop(("east.example", "library/tool")) == "E900"
    assert set(told.values()) == {None}
    assert "ZeroDivisionError" in caplog.text


async def test_what_was_stopped_before_it_began_is_deferred(run, world):
    stop = Stop()
    stop.drain(143)

    outcomes = await run(world, world.rule("app", "1"), stop=stop)

    assert [outcome.status for outcome in outcomes] == [Status.DEFERRED] * 2
    assert world.at("east", "library/app").named == {}
