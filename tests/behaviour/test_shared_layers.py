"""What images share is read once from the source and sent once to each registry, however many need it at once."""

import asyncio

import pytest
from builders import World, blob, complete, hold, image, index
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncer.content.memory import MemoryTarget
from syncer.content.places import Traits
from syncer.engine.local import LocalEngine
from syncer.engine.stop import Stop
from syncer.errors import ServerError
from syncer.planning.make import make_plan
from syncer.report.events import unseen
from syncer.report.model import Status
from syncer.state.memory import MemoryState
from syncer.transfer.tuning import Tuning

BASE = blob("base", 6_000_000)  # too large for the shelf
DIGEST = image(BASE).root.layers[0].digest
LIKE_ECR = Traits(empty_blobs=False, batches=True, mounts_uncommitted=False)


@pytest.fixture
def world() -> World:
    world = World("east")
    world.targets["east"].traits = LIKE_ECR
    for name in "abcdef":
        world.publish(f"{name}:1", image(BASE, blob(f"only in {name}")))
    return world


def rules(world: World, *tags: str) -> list:
    return [world.rule(name, *(tags or ["1"])) for name in "abcdef"]


def noting(put: list[str], name: str):
    async def note(verb: str, what: object) -> None:
        if verb == "put_blob":
            put.append(f"{name} {what}")

    return note


def reads(world: World) -> int:
    return sum(world.at_source(name).called("blob").count(DIGEST) for name in "abcdef")


def hold_older(world: World) -> MemoryTarget:
    """A repository with an image of long ago under a tag that is asked for, so that it is worth asking for more."""
    target = world.at("east", "library/app")
    hold(target, image(blob("older")), "a")
    return target


def whole(world: World) -> bool:
    return all(complete(world.at("east", f"library/{name}")) for name in "abcdef")


async def test_at_ecr_the_first_image_commits_and_the_others_mount(world: World, sync):
    outcomes = await sync(world, *rules(world))

    assert sorted(outcome.bytes_moved > len(BASE) for outcome in outcomes) == [False] * 5 + [True]
    assert reads(world) == 1
    assert whole(world)


async def test_at_ecr_without_mounts_our_own_copy_is_read_instead_of_the_source(world: World, sync):
    world.targets["east"].mounts = False

    outcomes = await sync(world, *rules(world))

    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 6
    assert reads(world) == 1
    assert whole(world)


async def test_at_ecr_blobs_of_an_image_that_others_wait_for_outrank_larger_ones(world: World):
    put: list[str] = []
    for name in "abcdef":
        world.publish(f"{name}:2", image(*(blob(f"{name}{n}", 100_000 + n) for n in range(9))))
        world.at("east", f"library/{name}").before = noting(put, name)
    leader = world.publish("a:1", image(BASE, blob("only in a"), blob("and this"), blob("and that")))
    plan = await make_plan(world.settings(*rules(world, "1", "2")), world, MemoryState(), world.clock, world.attempts)
    engine = LocalEngine(world.attempts, world.clock, MemoryState(), jobs=64, tuning=Tuning(blobs=1, per_image=1))

    await asyncio.wait_for(engine.run(plan, world, unseen, Stop()), 20)

    assert whole(world)
    assert max(put.index(f"a {digest}") for digest in leader.blobs) < 12  # 28 where every image takes its turn


async def test_where_our_own_copy_is_lost_the_source_is_read_again(world: World, sync):
    world.targets["east"].mounts = False

    async def collected(verb: str, _what: object) -> None:
        if verb == "blob":
            raise ServerError("503", host="east")

    for name in "abcdef":
        world.at("east", f"library/{name}").before = collected

    outcomes = await sync(world, *rules(world))

    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 6
    assert reads(world) > 1


async def test_when_the_first_image_fails_the_others_do_not_wait_for_ever(world: World, sync):
    world.at("east", "library/a").fail("put_manifest", *[ServerError("503")] * 100)

    outcomes = await asyncio.wait_for(sync(world, *rules(world)), 20)

    assert [outcome.status for outcome in outcomes] == [Status.FAILED] + [Status.COPIED] * 5


async def test_an_image_that_mends_a_lost_layer_waits_for_no_other_that_needs_its_manifest(sync):
    """A registry collects garbage while two indexes share a child; the one that began later is the first to notice."""
    world, noticed = World("east"), asyncio.Event()
    world.targets["east"].traits = LIKE_ECR
    child, large = image(blob("base", 6_000)), image(blob("other", 7_000_000))
    world.publish("app:1", index(child, large, platforms=("linux/amd64", "linux/arm64")))
    world.publish("app:2", index(child, platforms=("linux/amd64",)))
    east = world.at("east", "library/app")

    async def collect(verb: str, what: object) -> None:
        if verb == "put_manifest" and not noticed.is_set():
            east.lose(child.root.layers[0].digest)
            noticed.set()
        elif verb == "put_blob" and what == large.root.layers[0].digest:
            await noticed.wait()

    east.before = collect
    outcomes = await asyncio.wait_for(sync(world, world.rule("app", "*")), 10)

    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 2
    assert complete(east)


async def test_nobody_asks_for_a_manifest_while_another_puts_it(sync):
    """docker-registry answers 500 to one of the two."""
    world, busy = World("east"), set()
    what = image(blob("layer"))
    for tag in "abcdef":
        world.publish(f"app:{tag}", index(what, image(blob(tag)), platforms=("linux/amd64", "linux/arm64")))
        world.publish(f"app:{tag}-amd64", what)
    east = hold_older(world)

    def alone(verb: str):
        inner = getattr(east, verb)

        async def called(*args, **named):
            digests = {d.digest for d in args[0]} if verb == "absent" else {args[0].descriptor.digest}
            assert not digests & busy
            busy.update(digests)
            await asyncio.sleep(0.001)
            try:
                return await inner(*args, **named)
            finally:
                busy.difference_update(digests)

        return called

    for verb in ("absent", "put_manifest"):
        setattr(east, verb, alone(verb))

    outcomes = await sync(world, world.rule("app", "*"))

    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 12
    asked = [digest for batch in east.called("absent") for digest in batch]
    assert asked.count(what.digest) == 1


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    layers=st.lists(st.permutations("uvwxyz").map(lambda order: order[:4]), min_size=2, max_size=8),
    mounts=st.booleans(),
    jobs=st.integers(1, 8),
    width=st.integers(1, 4),
)
def test_images_that_share_layers_crosswise_never_wait_in_a_circle(layers, mounts, jobs: int, width: int):
    world = World("east", "west")
    for registry in world.targets.values():
        registry.traits, registry.mounts = LIKE_ECR, mounts
    for number, names in enumerate(layers):
        world.publish(f"i{number}:1", image(*(blob(name, 3000) for name in names)))
    wanted = [world.rule(f"i{number}", "1") for number in range(len(layers))]
    tuning = Tuning(shelf=0, shelved=0, gather=0.01, blobs=width, per_image=width)

    async def run():
        plan = await make_plan(world.settings(*wanted), world, MemoryState(), world.clock, world.attempts)
        engine = LocalEngine(world.attempts, world.clock, MemoryState(), jobs=jobs, tuning=tuning)
        return await asyncio.wait_for(engine.run(plan, world, unseen, Stop()), 20)

    assert {outcome.status for outcome in asyncio.run(run())} == {Status.COPIED}
