"""Law 1: a manifest travels as the bytes that arrived; the exceptions are declared, with both digests."""

import pytest
from builders import EMPTY, World, blob, image, index, two_platforms

from syncer.oci.names import Tag
from syncer.oci.platform import Platform
from syncer.report.model import Status
from syncer.settings.rules import Platforms

IMAGES = {
    "an image": image(blob("a")),
    "a Docker image": image(blob("a"), docker=True),
    "two platforms": two_platforms(),
    "a Docker list": index(image(blob("a"), docker=True), platforms=["linux/amd64"], docker=True),
    "an artifact with an empty config": image(blob("chart"), config=EMPTY, artifact_type="application/vnd.x+json"),
    "an image of nothing but a config": image(),
    "sixty layers": image(*(blob(f"layer {n}") for n in range(60))),
    "the same layer thrice": image(blob("a"), blob("a"), blob("b"), blob("a")),
    "an index in an index": index(index(image(blob("deep")), platforms=["linux/arm/v7"]), image(blob("flat"))),
}


@pytest.mark.parametrize("what", IMAGES.values(), ids=IMAGES)
async def test_law_1_every_manifest_arrives_as_the_bytes_it_was(world: World, sync, what):
    world.publish("nginx:1", what)

    (outcome,) = await sync(world, world.rule("nginx", "1"))

    target = world.at("east", "library/nginx")
    assert (outcome.status, outcome.digest, outcome.verified) == (Status.COPIED, what.digest, True)
    assert target.named == {Tag("1"): what.digest}
    assert {node.raw for node in target.manifests.values()} == {node.raw for node in what.nodes}
    assert target.blobs == what.blobs


async def test_law_1_an_index_that_was_cut_down_is_reported_with_both_digests(world: World, sync):
    what = world.publish("nginx:1", two_platforms())

    (outcome,) = await sync(world, world.rule("nginx", "1", platforms=Platforms((Platform.parse("linux/arm64"),))))

    assert outcome.source_digest == what.digest != outcome.digest
    assert outcome.digest == world.at("east", "library/nginx").named[Tag("1")]
