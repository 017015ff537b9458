"""Law 4: what is read is checked while it flows; what landed is looked at afterwards."""

from builders import World, blob, complete, image

from syncer.oci.names import Tag
from syncer.report.events import Noted
from syncer.report.model import Status

WHAT = image(blob("layer", 300_000))
LAYER = WHAT.root.layers[0].digest


async def test_law_4_wrong_bytes_are_never_committed(world: World, sync):
    world.publish("app:1", WHAT)
    world.at_source("app").corrupt(LAYER)

    (outcome,) = await sync(world, world.rule("app", "1"))

    target = world.at("east", "library/app")
    assert (outcome.status, outcome.failure.code) == (Status.FAILED, "E402")
    assert LAYER not in target.blobs
    assert target.named == {}


async def test_law_4_a_host_that_sent_wrong_bytes_is_blamed_and_the_bytes_are_fetched_again(world: World, sync):
    world.publish("app:1", WHAT)
    source, noted = world.at_source("app"), []
    source.corrupt(LAYER, times=1)

    (outcome,) = await sync(world, world.rule("app", "1"), observe=noted.append)

    assert (outcome.status, outcome.attempts) == (Status.COPIED, 2)
    assert [host for host, _ in source.blamed] == ["docker.io"]
    assert any(isinstance(event, Noted) and "docker.io sent other bytes" in event.text for event in noted)
    assert complete(world.at("east", "library/app"))


async def test_law_4_a_blob_that_ends_early_is_resumed_where_it_broke(world: World, sync):
    world.publish("app:1", WHAT)
    source = world.at_source("app")
    source.cut(LAYER, 70_000, 100_000)

    (outcome,) = await sync(world, world.rule("app", "1"))

    assert outcome.status is Status.COPIED
    assert source.called("blob").count(LAYER) == 3
    assert source.blamed == []


async def test_law_4_a_host_that_ignores_ranges_is_read_past_what_is_known(world: World, sync):
    world.publish("app:1", WHAT)
    source = world.at_source("app")
    source.ranges = False
    source.cut(LAYER, 70_000)

    (outcome,) = await sync(world, world.rule("app", "1"))

    assert outcome.status is Status.COPIED
    assert complete(world.at("east", "library/app"))


async def test_law_4_a_tag_that_means_something_else_after_it_was_put_is_a_failure(world: World, sync):
    world.publish("app:1", WHAT)
    target = world.at("east", "library/app")
    other = image(blob("somebody else's"))

    async def overwrite(verb: str, _what: object) -> None:
        if verb == "resolve":
            target.named[Tag("1")] = target.hold_manifest(other.root.raw).descriptor.digest

    target.before = overwrite
    (outcome,) = await sync(world, world.rule("app", "1"))

    assert (outcome.status, outcome.failure.code, outcome.verified) == (Status.FAILED, "E403", False)
