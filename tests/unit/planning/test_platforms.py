"""Only some platforms of an image."""

from builders import World, blob, image, two_platforms

from syncer.oci.platform import Platform
from syncer.settings.rules import Platforms, Rewrite

ARM = Platforms((Platform.parse("linux/arm64"),))
BOTH = Platforms((Platform.parse("linux/arm64"), Platform.parse("linux/amd64")))


async def test_an_index_is_cut_down_and_both_digests_are_in_the_plan(world: World, plan):
    what = world.publish("nginx:1", two_platforms())

    (copy,) = (await plan(world.rule("nginx", "1", platforms=ARM))).copies

    assert copy.root.digest == what.digest
    assert copy.landing.digest != what.digest
    assert copy.size < sum(map(len, what.blobs.values()))


async def test_an_index_with_no_other_platforms_stays_what_it_is(world: World, plan):
    what = world.publish("nginx:1", two_platforms())

    (copy,) = (await plan(world.rule("nginx", "1", platforms=BOTH))).copies

    assert copy.landing.digest == what.digest


async def test_an_unchanged_tag_costs_no_manifest_the_second_time(world: World, plan):
    world.publish("nginx:1", two_platforms())
    rule = world.rule("nginx", "1", platforms=ARM, targets=["east"])
    (copy,) = (await plan(rule)).copies
    target = world.at("east", "library/nginx")
    target.named[copy.source.tag] = copy.landing.digest
    world.at_source("nginx").calls.clear()

    made = await plan(rule)

    assert [skip.source_digest for skip in made.skips] == [copy.root.digest]
    assert [verb for verb, _ in world.at_source("nginx").calls] == ["resolve"]


async def test_an_index_that_may_not_be_rewritten_is_blocked(world: World, plan):
    world.publish("nginx:1", two_platforms())
    never = Platforms(ARM.only, Rewrite.NEVER)

    made = await plan(world.rule("nginx", "1", platforms=never))

    assert [(lost.failure.code, lost.blocked, len(lost.destinations)) for lost in made.lost] == [("E306", True, 2)]


async def test_a_platform_that_does_not_exist_is_named(world: World, plan):
    world.publish("nginx:1", two_platforms())

    made = await plan(world.rule("nginx", "1", platforms=Platforms((Platform.parse("linux/s390x"),))))

    assert made.lost[0].failure.code == "E311"
    assert "linux/s390x" in made.lost[0].failure.message


async def test_an_image_without_an_index_is_taken_as_it_is(world: World, plan):
    what = world.publish("nginx:1", image(blob("a")))

    (copy,) = (await plan(world.rule("nginx", "1", platforms=ARM))).copies

    assert copy.landing.digest == what.digest
