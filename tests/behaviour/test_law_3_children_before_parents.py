"""Law 3: children before parents, the tag last: no name ever points to something incomplete."""

import asyncio
from collections.abc import Iterator

from builders import World, blob, complete, hold, image, index
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncer.engine.local import LocalEngine
from syncer.engine.stop import Stop
from syncer.errors import ManifestRefused, NotFound, ServerError, SyncerError, Unreachable
from syncer.oci.names import Tag
from syncer.planning.make import make_plan
from syncer.report.events import unseen
from syncer.report.model import Status
from syncer.state.memory import MemoryState
from syncer.transfer.tuning import Tuning

LAYERS = st.lists(st.sampled_from([blob(name, 200) for name in "abcdefgh"]), max_size=5)
IMAGES = st.builds(lambda layers: image(*layers), LAYERS)
GRAPHS = st.recursive(
    IMAGES, lambda children: st.lists(children, min_size=1, max_size=3).map(lambda found: index(*found)), max_leaves=6
)
FAULTS = [Unreachable("reset"), ServerError("503"), NotFound("gone"), ManifestRefused("no")]
VERBS = ["put_blob", "put_manifest", "absent", "missing", "resolve", "blob", "manifest"]


class Crash(Exception):
    """The process dies here, as by kill -9: nothing of ours may handle it."""


async def sync_crashing(world: World, at: int) -> Iterator[bool]:
    """One sync that dies at its call number `at`; whether every tag was whole before each of the calls."""
    target, calls, whole = world.at("east", "library/app"), 0, []

    async def count(_verb: str, _what: object) -> None:
        nonlocal calls
        calls += 1
        whole.append(complete(target))
        if calls == at:
            raise Crash

    target.before = count
    try:
        await run(world)
    except* Crash:
        pass
    target.before = None
    return [*whole, complete(target)]


async def run(world: World):
    rules = [world.rule("app", "v1"), world.rule("other", "v1", to="library/app", rename=Tag("v2"))]
    plan = await make_plan(world.settings(*rules), world, MemoryState(), world.clock, world.attempts)
    engine = LocalEngine(world.attempts, world.clock, MemoryState(), tuning=Tuning(gather=0))
    return await engine.run(plan, world, unseen, Stop())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=GRAPHS, second=GRAPHS, at=st.integers(1, 30))
def test_law_3_a_crash_at_any_call_leaves_no_tag_that_names_something_incomplete(first, second, at):
    world = World()
    world.publish("app:v1", first)
    world.publish("other:v1", second)

    assert all(asyncio.run(sync_crashing(world, at)))

    outcomes = asyncio.run(run(world))  # and the next run completes what the dead one began
    assert {outcome.status for outcome in outcomes} <= {Status.COPIED, Status.UP_TO_DATE}
    assert complete(world.at("east", "library/app"))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=GRAPHS, data=st.data())
def test_law_3_whatever_fails_a_tag_is_whole_or_absent(first, data):
    world = World("east", "west")
    world.publish("app:v1", first)
    world.publish("other:v1", image(blob("other")))
    for place in (world.at("east", "library/app"), world.at_source("app")):
        for _ in range(data.draw(st.integers(0, 3))):
            fault: SyncerError = data.draw(st.sampled_from(FAULTS))
            place.fail(data.draw(st.sampled_from(VERBS)), *[fault] * data.draw(st.sampled_from([1, 6])))

    outcomes = asyncio.run(run(world))

    for outcome in outcomes:
        target = world.at(outcome.target.registry.split(".")[0], "library/app")
        assert complete(target)
        assert (target.named.get(outcome.target.tag) == outcome.digest) or outcome.status is not Status.COPIED


async def test_law_3_manifests_come_after_what_they_name_and_only_the_root_gets_the_tag(world: World, sync):
    what = world.publish("app:1", index(index(image(blob("deep"))), image(blob("flat"))))

    await sync(world, world.rule("app", "1"))

    put = world.at("east", "library/app").called("put_manifest")
    assert put[-1] == Tag("1")
    assert put[:-1] == [node.descriptor.digest for node in what.nodes[:-1]]


async def test_law_3_blobs_that_vanish_before_the_manifest_is_put_are_brought_again(world: World, sync):
    what = hold(world.at_source("app"), image(blob("a"), blob("b")), "1")
    target = world.at("east", "library/app")

    async def collect(verb: str, _what: object) -> None:
        if verb == "put_manifest" and len(target.called("put_manifest")) == 1:
            target.lose(what.root.layers[0].digest)

    target.before = collect
    (outcome,) = await sync(world, world.rule("app", "1"))

    assert outcome.status is Status.COPIED
    assert complete(target)
