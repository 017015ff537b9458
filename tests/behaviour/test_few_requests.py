"""What is not asked, and in which order bytes begin to flow."""

import pytest
from builders import World, blob, hold, image, two_platforms

from syncer.content.places import Traits
from syncer.report.model import Status


@pytest.fixture
def world() -> World:
    return World("east")


async def test_where_planning_saw_no_tag_manifests_are_put_without_asking(world: World, sync):
    world.publish("app:1", two_platforms())
    hold(world.at("east", "library/app"), image(blob("of another rule")), "0")

    (outcome,) = await sync(world, world.rule("app", "1"))

    assert outcome.status is Status.COPIED
    assert world.at("east", "library/app").called("absent") == []


async def test_where_the_guess_is_wrong_nothing_is_sent_that_is_there(world: World, sync):
    """All of it is there, under a tag that no rule names."""
    what = world.publish("app:1", two_platforms())
    hold(world.at("east", "library/app"), what, "0")

    (outcome,) = await sync(world, world.rule("app", "1"))

    assert (outcome.status, outcome.bytes_moved) == (Status.COPIED, 0)
    assert world.at_source("app").called("blob") == []


async def test_where_planning_saw_a_tag_what_is_there_is_not_put_again(world: World, sync):
    what = world.publish("app:1", two_platforms())
    world.publish("app:2", what)
    target = world.at("east", "library/app")
    hold(target, what, "1")

    await sync(world, world.rule("app", "1", "2"))

    assert (target.called("put_blob"), len(target.called("put_manifest"))) == ([], 1)


async def test_registries_that_answer_by_the_hundred_are_always_asked(world: World, sync):
    world.targets["east"].traits = Traits(batches=True)
    what = world.publish("app:1", two_platforms())
    target = world.at("east", "library/app")
    hold(target, what, "0")

    await sync(world, world.rule("app", "1"))

    assert len(target.called("put_manifest")) == 1


async def test_the_largest_blob_of_the_largest_image_begins_first(world: World, sync):
    sizes, begun = {}, []

    async def note(verb: str, what: object) -> None:
        begun.extend([sizes.get(what, 0)] if verb == "put_blob" else [])

    for name, layers in {"small": (100, 200), "large": (300, 9_000, 400)}.items():
        what = world.publish(f"{name}:1", image(*(blob(f"{name} {size}", size) for size in layers)))
        sizes |= {d.digest: d.size for d in what.root.layers}
        world.at("east", f"library/{name}").before = note

    await sync(world, world.rule("small", "1"), world.rule("large", "1"), jobs=1)

    assert [size for size in begun if size] == [9_000, 400, 300, 200, 100]
