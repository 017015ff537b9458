"""`foreign_layers`: layers that a registry only names are never fetched; with `skip` the rest is copied."""

import json

import pytest
from builders import World, blob, described

from syncer.oci import media_types
from syncer.oci.digest import Digest
from syncer.oci.names import Tag
from syncer.planning.make import make_plan
from syncer.planning.verify import verify
from syncer.report.events import unseen
from syncer.report.model import Status
from syncer.settings.terms import ForeignLayers, Terms
from syncer.state.memory import MemoryState

SKIP = Terms(foreign_layers=ForeignLayers.SKIP)
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
ELSEWHERE = blob("windows")
OWN = blob("ours")


def publish(world: World, layer: dict) -> Digest:
    """An image with a layer of its own, and `layer`, whose bytes the source has as well: they could be fetched."""
    source = world.at_source("nginx")
    config = described(blob("config"), media_types.OCI_CONFIG)
    layers = [described(OWN, media_types.OCI_LAYER), layer]
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": config, "layers": layers}
    for data in (blob("config"), OWN, ELSEWHERE):
        source.hold_blob(data)
    return source.hold_manifest(json.dumps(document).encode(), media_types.OCI_MANIFEST, Tag("1")).descriptor.digest


LAYERS = {
    "urls": described(ELSEWHERE, urls=["https://example.com/layer"]),
    "docker": described(ELSEWHERE, FOREIGN, urls=["https://example.com/layer"]),
    "type only": described(ELSEWHERE, media_types.OCI_LAYER.replace("layer", "layer.nondistributable")),
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
async def test_the_rest_is_copied_and_the_layer_left_where_it_is(sync, layer):
    world = World("east")
    digest = publish(world, layer)

    (outcome,) = await sync(world, world.rule("nginx", "1", terms=SKIP))

    source, target = world.at_source("nginx"), world.at("east", "library/nginx")
    assert (outcome.status, outcome.digest, outcome.left_out) == (Status.COPIED, digest, (Digest.of(ELSEWHERE),))
    assert Digest.of(ELSEWHERE) not in source.called("blob")
    assert Digest.of(ELSEWHERE) not in target.blobs
    assert target.blobs[Digest.of(OWN)] == OWN


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
async def test_by_default_the_image_is_blocked_and_nothing_fetched(sync, layer):
    world = World("east")
    publish(world, layer)

    (outcome,) = await sync(world, world.rule("nginx", "1"))

    assert (outcome.status, outcome.failure.code) == (Status.BLOCKED, "E309")
    assert str(Digest.of(ELSEWHERE)) in outcome.failure.message
    assert "foreign_layers: skip" in outcome.failure.hint
    assert world.at_source("nginx").called("blob") == []
    assert not world.at("east", "library/nginx").named


async def test_a_plan_warns_of_what_is_left_out_and_verify_does_not_miss_it(world: World, sync):
    publish(world, LAYERS["docker"])
    rule = world.rule("nginx", "1", terms=SKIP)

    plan = await make_plan(world.settings(rule), world, MemoryState(), world.clock, world.attempts)
    await sync(world, rule)
    again = await make_plan(world.settings(rule), world, MemoryState(), world.clock, world.attempts)
    outcomes = await verify(again, world, world.attempts, unseen, deep=True)

    assert ["foreign_layers: skip" in warning for warning in plan.warnings] == [True]
    assert {outcome.status for outcome in outcomes} == {Status.OK}
