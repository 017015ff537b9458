"""Signatures, SBOMs and other manifests that refer to an image travel with it when they are asked for."""

import pytest
from builders import EMPTY, Image, World, blob, hold, image, two_platforms

from syncer.errors import ServerError
from syncer.oci.names import Tag
from syncer.oci.platform import Platform
from syncer.report.model import Status
from syncer.settings.rules import Platforms


def signature(subject: Image, text: str = "signature") -> Image:
    return image(blob(f"{text} of {subject.digest}"), config=EMPTY, subject=subject, artifact_type="application/x.sig")


def digests(world: World) -> set:
    return set(world.at("east", "library/app").manifests)


async def test_referrers_stay_where_they_are_unless_asked_for(world: World, sync):
    what = world.publish("app:1", image(blob("a")))
    hold(world.at_source("app"), signature(what))

    await sync(world, world.rule("app", "1"))

    assert digests(world) == {what.digest}
    assert world.at_source("app").called("referrers") == []


async def test_referrers_of_the_root_of_a_child_and_of_a_referrer_travel(world: World, sync):
    what = world.publish("app:1", two_platforms())
    child = Image(what.nodes[0], what.nodes[:1], {})
    sbom = hold(world.at_source("app"), signature(what, "sbom"))
    of_child = hold(world.at_source("app"), signature(child))
    of_sbom = hold(world.at_source("app"), signature(sbom))

    (outcome,) = await sync(world, world.rule("app", "1", referrers=True))

    assert outcome.status is Status.COPIED
    assert digests(world) == {node.descriptor.digest for node in what.nodes} | {
        sbom.digest,
        of_child.digest,
        of_sbom.digest,
    }


async def test_the_tag_waits_for_the_referrers(world: World, sync):
    what = world.publish("app:1", image(blob("a")))
    sbom = hold(world.at_source("app"), signature(what))

    await sync(world, world.rule("app", "1", referrers=True))

    put = world.at("east", "library/app").called("put_manifest")
    assert put == [what.digest, sbom.digest, Tag("1")]


async def test_a_referrer_that_cannot_be_copied_fails_the_image(world: World, sync):
    what = world.publish("app:1", image(blob("a")))
    sbom = hold(world.at_source("app"), signature(what))
    target = world.at("east", "library/app")

    async def refuse(verb: str, about: object) -> None:
        if verb == "put_manifest" and about == sbom.digest:
            raise ServerError("503", host="east")

    target.before = refuse
    (outcome,) = await sync(world, world.rule("app", "1", referrers=True))

    assert outcome.status is Status.FAILED
    assert target.named == {}


async def test_a_new_signature_of_an_unchanged_image_is_brought(world: World, sync):
    what = world.publish("app:1", image(blob("a")))
    rule = world.rule("app", "1", referrers=True)
    await sync(world, rule)
    late = hold(world.at_source("app"), signature(what))

    (again,) = await sync(world, rule)
    (unchanged,) = await sync(world, rule)

    assert late.digest in digests(world)
    assert (again.status, unchanged.status) == (Status.COPIED, Status.UP_TO_DATE)
    assert again.bytes_moved == len(blob(f"signature of {what.digest}")) + len(EMPTY)


@pytest.mark.parametrize("platform", ["linux/amd64"])
async def test_of_an_image_that_was_cut_down_only_the_children_keep_theirs(world: World, sync, platform: str):
    what = world.publish("app:1", two_platforms())
    of_root = hold(world.at_source("app"), signature(what))
    of_child = hold(world.at_source("app"), signature(Image(what.nodes[0], what.nodes[:1], {})))

    await sync(world, world.rule("app", "1", referrers=True, platforms=Platforms((Platform.parse(platform),))))

    assert of_child.digest in digests(world)
    assert of_root.digest not in digests(world)
