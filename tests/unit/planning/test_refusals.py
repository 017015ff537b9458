"""What cannot be mirrored is known before anything moves."""

import json

from builders import World, blob, described, hold, image, index

from syncer.errors import UnsupportedManifest
from syncer.oci import media_types
from syncer.oci.names import Tag
from syncer.transfer import graph


async def lost(plan, world: World) -> list[tuple[str, bool]]:
    made = await plan(world.rule("nginx", "1", targets=["east"]))
    assert made.copies == ()
    return [(lost.failure.code, lost.blocked) for lost in made.lost]


async def test_a_foreign_layer_is_refused(world: World, plan):
    source, layer = world.at_source("nginx"), blob("windows")
    config = described(blob("config"), media_types.OCI_CONFIG)
    layers = [described(layer, urls=["https://example.com/layer"])]
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": config, "layers": layers}
    source.hold_manifest(json.dumps(document).encode(), media_types.OCI_MANIFEST, Tag("1"))

    assert await lost(plan, world) == [("E309", True)]


async def test_schema_1_is_refused(world: World, plan):
    world.publish("nginx:1", image(blob("a")))
    world.at_source("nginx").fail("manifest", UnsupportedManifest("this is a Docker schema 1 manifest"))

    assert await lost(plan, world) == [("E308", True)]


async def test_indexes_that_are_nested_too_deep_are_refused(world: World, plan):
    what = image(blob("a"))
    for _ in range(5):
        what = index(what)
    world.publish("nginx:1", what)

    assert await lost(plan, world) == [("E404", False)]
    assert len(world.at_source("nginx").called("manifest")) == graph.MAX_DEPTH + 1


async def test_indexes_that_are_nested_as_deep_as_allowed_are_not(world: World, plan):
    what = image(blob("a"))
    for _ in range(graph.MAX_DEPTH):
        what = index(what)
    world.publish("nginx:1", what)

    assert len((await plan(world.rule("nginx", "1"))).copies) == 1


async def test_a_child_that_is_not_there_loses_the_image(world: World, plan):
    what = world.publish("nginx:1", index(image(blob("a")), image(blob("b"))))
    world.at_source("nginx").lose(what.nodes[0].descriptor.digest)

    assert await lost(plan, world) == [("E508", False)]


async def test_a_child_of_another_size_than_its_index_says_is_refused(world: World, plan):
    child = image(blob("a"))
    entry = child.root.descriptor.to_json() | {"size": 7}
    raw = json.dumps({"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [entry]}).encode()
    hold(world.at_source("nginx"), child)
    world.at_source("nginx").hold_manifest(raw, media_types.OCI_INDEX, Tag("1"))

    assert await lost(plan, world) == [("E404", False)]


async def test_a_diamond_is_read_once_for_each_of_its_manifests(world: World, plan):
    """Two entries, each in two indexes, and so on: sixteen paths, four levels, few manifests."""
    what = index(image(blob("a")), image(blob("b")))
    for _ in range(3):
        what = index(index(what) if what is None else what, what)
    world.publish("nginx:1", what)

    await plan(world.rule("nginx", "1"))

    assert len(world.at_source("nginx").called("manifest")) == len(what.nodes)
