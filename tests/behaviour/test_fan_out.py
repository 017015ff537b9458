"""One source, several targets: read once, and no target's trouble is another's."""

import asyncio

import pytest
from builders import World, blob, complete, hold, image, two_platforms

from syncer.attempts import Attempts, Policy
from syncer.errors import ServerError, TimedOut, Unreachable
from syncer.report.model import Status


@pytest.fixture
def world() -> World:
    return World("east", "west")


def blobs_read(world: World, *repositories: str) -> list[object]:
    return [digest for name in repositories for digest in world.at_source(name).called("blob")]


async def test_a_blob_is_read_once_for_all_targets(world: World, sync):
    what = world.publish("app:1", two_platforms())

    outcomes = await sync(world, world.rule("app", "1"))

    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 2
    assert sorted(map(str, blobs_read(world, "app"))) == sorted(map(str, what.blobs))


@pytest.mark.parametrize("verb", ["current", "absent", "put_blob", "put_manifest", "resolve"])
async def test_a_dead_target_does_not_touch_the_copy_to_another(world: World, sync, verb: str):
    what = world.publish("app:1", two_platforms())
    hold(world.at("west", "library/app"), image(blob("older")), "1")
    world.at("west", "library/app").fail(verb, *[Unreachable("no route", host="west")] * 100)

    east, west = await sync(world, world.rule("app", "1"))

    assert (east.status, east.digest) == (Status.COPIED, what.digest)
    assert (west.status, west.failure.code) == (Status.FAILED, "E501")
    assert complete(world.at("west", "library/app"))


async def test_a_target_that_stands_still_is_let_go_and_served_later(world: World, sync):
    """West takes nothing until east has the image; then a read of its own serves it, even if nothing is tried again."""
    world.attempts = Attempts(Policy(attempts=1), world.clock)
    world.publish("app:1", image(blob("large", 9_000_000)))
    west, east_done = world.at("west", "library/app"), asyncio.Event()
    stuck = west.put_blob

    async def slowly(d, content, mount_from=()):
        if d.size < 1000 or east_done.is_set():
            return await stuck(d, content, mount_from)
        async with content.open() as chunks:
            await anext(chunks)
            await east_done.wait()
            return [chunk async for chunk in chunks] and await stuck(d, content, mount_from)

    west.put_blob = slowly

    def watch(event: object) -> None:
        if getattr(getattr(event, "outcome", None), "target", None) and "east" in str(event.outcome.target):
            east_done.set()

    outcomes = await sync(world, world.rule("app", "1"), observe=watch)

    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 2
    assert complete(west)


async def test_a_target_that_never_comes_is_not_waited_for_long(world: World, sync):
    world.publish("app:1", image(*(blob(f"layer {n}") for n in range(20))))
    hold(world.at("west", "library/app"), image(blob("older")), "1")
    east_done = asyncio.Event()

    async def late(verb: str, _what: object) -> None:
        if verb == "absent":
            await east_done.wait()

    world.at("west", "library/app").before = late

    def watch(event: object) -> None:
        if "east" in str(getattr(getattr(event, "outcome", None), "target", "")):
            east_done.set()

    outcomes = await asyncio.wait_for(sync(world, world.rule("app", "1"), observe=watch), 10)

    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 2
    assert world.at("west", "library/app").called("absent")


async def test_a_base_that_images_share_is_read_once_and_mounted_for_the_others(sync):
    world = World("east")
    base = blob("base", 6_000_000)
    for name in "abcdef":
        world.publish(f"{name}:1", image(base, blob(f"only in {name}")))

    await sync(world, *(world.rule(name, "1") for name in "abcdef"))

    digest = image(base).root.layers[0].digest
    assert blobs_read(world, *"abcdef").count(digest) == 1
    assert all(complete(world.at("east", f"library/{name}")) for name in "abcdef")


async def test_a_small_blob_is_not_read_again_where_nothing_can_be_mounted(sync):
    world = World("east")
    world.targets["east"].mounts = False
    base = blob("base", 200_000)
    for name in "abc":
        world.publish(f"{name}:1", image(base, blob(f"only in {name}")))

    await sync(world, *(world.rule(name, "1") for name in "abc"))

    digest = image(base).root.layers[0].digest
    assert blobs_read(world, *"abc").count(digest) == 1


async def test_when_the_first_who_brings_a_blob_fails_the_next_one_does(sync):
    world = World("east")
    base = blob("base", 5000)
    for name in "abc":
        world.publish(f"{name}:1", image(base, blob(f"only in {name}")))
    world.at("east", "library/a").fail("put_blob", *[TimedOut("slow")] * 100)

    outcomes = await sync(world, *(world.rule(name, "1") for name in "abc"))

    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.COPIED, Status.COPIED]


async def test_a_lost_image_does_not_stop_the_others(world: World, sync):
    world.publish("app:1", two_platforms())
    broken = world.publish("app:2", two_platforms("other"))
    world.at_source("app").lose(broken.nodes[0].descriptor.digest)

    outcomes = await sync(world, world.rule("app", "1", "2", "3"))

    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 2 + [Status.FAILED] * 4


async def test_one_image_under_many_tags_is_sent_once(sync):
    world = World("east")
    what = two_platforms()
    for tag in ("1", "1.2", "1.2.3", "latest"):
        world.publish(f"app:{tag}", what)

    outcomes = await sync(world, world.rule("app", "*"))

    put = world.at("east", "library/app").called("put_blob")
    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 4
    assert sorted(map(str, put)) == sorted(map(str, what.blobs))
    assert sum(outcome.bytes_moved for outcome in outcomes) == sum(map(len, what.blobs.values()))


async def test_nothing_is_sent_when_nothing_changed(world: World, sync):
    world.publish("app:1", two_platforms())
    await sync(world, world.rule("app", "1"))
    for name in ("east", "west"):
        world.at(name, "library/app").calls.clear()
    world.at_source("app").calls.clear()

    outcomes = await sync(world, world.rule("app", "1"))

    assert [outcome.status for outcome in outcomes] == [Status.UP_TO_DATE] * 2
    assert [verb for verb, _ in world.at_source("app").calls] == ["resolve"]
    assert [verb for verb, _ in world.at("east", "library/app").calls] == ["current"]


async def test_a_flaky_target_costs_repetitions_of_its_own(world: World, sync):
    world.publish("app:1", image(blob("a")))
    world.at("west", "library/app").fail("put_blob", ServerError("503"))

    east, west = await sync(world, world.rule("app", "1"))

    assert (east.attempts, west.attempts) == (1, 2)
