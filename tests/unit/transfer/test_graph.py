"""The graph of an image, and what refers to it."""

import json
from dataclasses import replace

import pytest
from builders import EMPTY, Image, World, blob, hold, image, index, two_platforms

from syncer.errors import CorruptContent, LandedDiffers, MalformedManifest, SyncerError
from syncer.oci import media_types
from syncer.oci.digest import Digest
from syncer.oci.platform import Platform
from syncer.oci.reference import Reference
from syncer.plan.model import Copy
from syncer.report.verdict import worst
from syncer.transfer.graph import Graph, Walk


@pytest.fixture
def world() -> World:
    return World()


def walk(world: World) -> Walk:
    return Walk(world.at_source("app"), world.attempts)


async def graph(world: World, what: Image, **changes) -> Graph:
    root = what.root.descriptor
    copy = replace(Copy(Reference.parse("app:1"), root, root, "origin", ()), **changes)
    try:
        return await walk(world).copy(copy)
    except* SyncerError as group:
        error = worst(group)
    raise error


async def test_every_manifest_stands_after_its_children(world: World):
    shared = image(blob("shared"))
    what = world.publish("app:1", index(index(shared, image(blob("b"))), shared, index(shared)))

    found = await graph(world, what)

    seen = set()
    for node in found.nodes:
        assert {child.digest for child in getattr(node, "manifests", ())} <= seen
        seen.add(node.descriptor.digest)
    assert len(seen) == len(found.nodes) == 5
    assert found.nodes[-1] is found.root


async def test_the_size_counts_each_blob_once(world: World):
    what = world.publish("app:1", two_platforms())

    assert (await graph(world, what)).size == sum(map(len, what.blobs.values()))


async def test_a_root_that_is_not_cut_down_as_planned_is_refused(world: World):
    what = world.publish("app:1", two_platforms())

    with pytest.raises(LandedDiffers):
        await graph(world, what, only=(Platform.parse("linux/amd64"),), landing=image(blob("another")).root.descriptor)


async def test_another_manifest_than_the_one_asked_for_is_refused(world: World):
    what = world.publish("app:1", image(blob("a")))
    other = image(blob("b"))
    world.at_source("app").manifests[what.digest] = other.root

    with pytest.raises(CorruptContent):
        await graph(world, what)


async def test_what_refers_to_an_image_comes_after_it(world: World):
    what = world.publish("app:1", image(blob("a")))
    sbom = hold(world.at_source("app"), image(blob("sbom"), config=EMPTY, subject=what))
    signature = hold(world.at_source("app"), image(blob("signature"), config=EMPTY, subject=sbom))

    found = await graph(world, what, referrers=True)

    assert [node.descriptor.digest for node in found.nodes] == [what.digest, sbom.digest, signature.digest]
    assert found.root.descriptor.digest == what.digest


async def test_a_long_chain_of_referrers_ends(world: World):
    what = subject = world.publish("app:1", image(blob("a")))
    for number in range(10):
        subject = hold(world.at_source("app"), image(blob(str(number)), config=EMPTY, subject=subject))

    assert len((await graph(world, what, referrers=True)).nodes) < 10


@pytest.mark.parametrize("lie", [{"size": 1}, {"mediaType": media_types.OCI_INDEX}])
async def test_a_child_that_is_not_what_its_index_says_is_refused(world: World, lie):
    child = hold(world.at_source("app"), image(blob("child")))
    entry = child.root.descriptor.to_json() | lie
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [entry]}
    root = world.at_source("app").hold_manifest(json.dumps(document).encode(), media_types.OCI_INDEX)

    with pytest.raises(MalformedManifest, match="but its index says"):
        await graph(world, Image(root, (root,), {}))


async def test_an_image_has_no_more_referrers_than_it_may_have_manifests(world: World):
    node = world.publish("app:1", image(blob("app"))).root
    many = [replace(node.descriptor, digest=Digest("sha256", f"{number:064x}")) for number in range(20_001)]

    class Talkative:
        place = world.at_source("app").place

        async def referrers(self, _digest: Digest) -> list:
            return many

    with pytest.raises(ExceptionGroup) as caught:
        await Walk(Talkative(), world.attempts).referrers([node])
    assert caught.group_contains(MalformedManifest, match="more than 20000 manifests")
