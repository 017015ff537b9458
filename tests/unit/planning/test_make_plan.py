"""What a plan says about rules, sources and targets."""

import pytest
from builders import World, blob, hold, image, two_platforms

from syncer.content.places import Traits
from syncer.errors import NothingSelected, RepositoryMissing, Unauthorized, Unreachable
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.reference import Reference
from syncer.planning.wishes import target_name
from syncer.selection.images import Choice
from syncer.settings.targets import TargetSettings


def targets(copies) -> list[str]:
    return [str(to.reference) for copy in copies for to in copy.destinations]


async def test_a_copy_lists_every_target_that_lacks_it(world: World, plan):
    what = world.publish("nginx:1", two_platforms())
    hold(world.at("west", "library/nginx"), what, "1")

    made = await plan(world.rule("nginx", "1"))

    assert targets(made.copies) == ["east.example/library/nginx:1"]
    assert [str(skip.destination.reference) for skip in made.skips] == ["west.example/library/nginx:1"]
    assert made.copies[0].size == sum(map(len, what.blobs.values()))


async def test_a_tag_that_means_something_else_at_the_target_is_an_update(world: World, plan):
    world.publish("nginx:1", image(blob("new")))
    old = hold(world.at("east", "library/nginx"), image(blob("old")), "1")

    made = await plan(world.rule("nginx", "1", targets=["east"]))

    assert made.copies[0].destinations[0].before == old.digest


async def test_globs_list_the_source_and_exact_tags_do_not(world: World, plan):
    for tag in ("1.0", "1.1", "2.0"):
        world.publish(f"nginx:{tag}", image(blob("a")))
        world.publish(f"redis:{tag}", image(blob("b")))

    made = await plan(world.rule("nginx", "1.*", targets=["east"]), world.rule("redis", "2.0", targets=["east"]))

    assert targets(made.copies) == [
        "east.example/library/nginx:1.0",
        "east.example/library/nginx:1.1",
        "east.example/library/redis:2.0",
    ]
    assert world.at_source("redis").called("tags") == []


async def test_one_tag_can_be_renamed(world: World, plan):
    world.publish("redis:7.4", image(blob("a")))

    made = await plan(world.rule("redis:7.4", to="base/redis", rename=Tag("7.4-cn"), targets=["east"]))

    assert targets(made.copies) == ["east.example/base/redis:7.4-cn"]


async def test_a_pinned_image_is_copied_under_its_new_tag(world: World, plan):
    what = world.publish("busybox:1", image(blob("a")))

    made = await plan(world.rule(f"busybox@{what.digest}", rename=Tag("pinned"), targets=["east"]))

    assert targets(made.copies) == ["east.example/library/busybox:pinned"]
    assert made.copies[0].resolved_by == "digest"


async def test_a_pinned_image_without_a_tag_is_wanted_by_its_digest(world: World, plan):
    what = world.publish("busybox:1", image(blob("a")))
    rule = world.rule(f"busybox@{what.digest}", targets=["east"])

    assert targets((await plan(rule)).copies) == [f"east.example/library/busybox@{what.digest}"]

    hold(world.at("east", "library/busybox"), what)
    assert len((await plan(rule)).skips) == 1


async def test_a_target_repository_is_asked_once_for_all_its_tags(world: World, plan):
    for tag in "abc":
        world.publish(f"nginx:{tag}", image(blob(tag)))

    await plan(world.rule("nginx", "*"))

    asked = world.at("east", "library/nginx").called("current")
    assert [sorted(map(str, tags)) for tags in asked] == [["a", "b", "c"]]


async def test_a_rule_that_selects_nothing_is_a_warning(world: World, plan):
    world.publish("nginx:1", image(blob("a")))

    made = await plan(world.rule("nginx", "9.*", line=7), world.rule("nginx", "1"), world.rule("nginx", line=9))

    assert made.warnings == (
        "mirrors.yaml:7: docker.io/library/nginx: no tag matches 9.*.",
        "mirrors.yaml:9: docker.io/library/nginx: `tags` is empty, so nothing is mirrored.",
    )


async def test_nothing_selected_is_an_error_unless_that_is_meant(world: World, plan):
    world.publish("nginx:1", image(blob("a")))

    with pytest.raises(NothingSelected):
        await plan(world.rule("nginx", "1"), choice=Choice(only=("redis*",)))

    made = await plan(world.rule("nginx", "1"), choice=Choice(only=("redis*",), allow_empty=True))
    assert (made.copies, made.skips, made.lost) == ((), (), ())


async def test_what_is_left_out_is_not_asked_for(world: World, plan):
    world.publish("nginx:1", image(blob("a")))
    world.publish("redis:1", image(blob("b")))

    made = await plan(world.rule("nginx", "1"), world.rule("redis", "1"), choice=Choice(skip=("redis:*", "west*")))

    assert targets(made.copies) == ["east.example/library/nginx:1"]
    assert world.at_source("redis").calls == []


async def test_a_repository_that_must_be_created_is_in_the_plan(world: World, plan):
    world.publish("nginx:1", image(blob("a")))
    world.at("east", "library/nginx").fail("current", RepositoryMissing("no such repository"))

    made = await plan(world.rule("nginx", "1", targets=["east"]))

    assert made.creates == (("east", "library/nginx"),)
    assert targets(made.copies) == ["east.example/library/nginx:1"]


async def test_a_list_that_cannot_be_had_loses_the_rule_and_only_that(world: World, plan):
    world.publish("nginx:1", image(blob("a")))
    world.at_source("redis").fail("tags", Unauthorized("no"))

    made = await plan(world.rule("redis", "*"), world.rule("nginx", "1"))

    (lost,) = made.lost
    assert (str(lost.source), lost.failure.code, len(lost.destinations)) == ("docker.io/library/redis", "E201", 2)
    assert len(targets(made.copies)) == 2


async def test_a_target_that_does_not_answer_loses_its_destinations_and_only_those(world: World, plan):
    world.publish("nginx:1", image(blob("a")))
    world.at("west", "library/nginx").fail("current", *[Unreachable("no route")] * 6)

    made = await plan(world.rule("nginx", "1"))

    assert targets(made.copies) == ["east.example/library/nginx:1"]
    assert targets(made.lost) == ["west.example/library/nginx:1"]


async def test_two_sources_for_one_target_tag_are_not_both_copied(world: World, plan):
    world.publish("nginx:1", image(blob("a")))
    world.publish("quay.io/other/nginx:1", image(blob("b")))

    made = await plan(
        world.rule("nginx", "*", targets=["east"]),
        world.rule("quay.io/other/nginx", "*", to="library/nginx", targets=["east"]),
    )

    assert targets(made.copies) == ["east.example/library/nginx:1"]
    (lost,) = made.lost
    assert (lost.failure.code, lost.blocked, str(lost.source)) == ("E110", True, "quay.io/other/nginx:1")
    assert "docker.io/library/nginx:1" in lost.failure.message


async def test_the_same_image_wanted_twice_is_copied_once(world: World, plan):
    world.publish("nginx:1", image(blob("a")))

    made = await plan(world.rule("nginx", "1"), world.rule("nginx", "*"), world.rule("nginx", "1", to="base/nginx"))

    (copy,) = made.copies
    assert len(copy.destinations) == 4
    assert made.lost == ()


async def test_a_prefix_of_a_target_stands_before_every_repository():
    name = target_name(TargetSettings("x", "reg.example", prefix="team/"), RepositoryName("nginx"))

    assert name == Reference("reg.example", RepositoryName("team/nginx"))


async def test_an_image_with_an_empty_blob_is_blocked_where_it_cannot_be_stored(world: World, plan):
    world.targets["west"].traits = Traits(empty_blobs=False)
    world.publish("nginx:1", image(b"", blob("a")))

    made = await plan(world.rule("nginx", "1"))

    assert targets(made.copies) == ["east.example/library/nginx:1"]
    assert [(lost.failure.code, lost.blocked) for lost in made.lost] == [("E305", True)]


async def test_what_is_up_to_date_at_one_target_stays_so_when_another_needs_what_is_gone(world: World, plan):
    what = world.publish("nginx:1", two_platforms())
    hold(world.at("west", "library/nginx"), what, "1")
    world.at_source("nginx").lose(what.nodes[0].descriptor.digest)

    made = await plan(world.rule("nginx", "1"))

    assert [str(skip.destination.reference) for skip in made.skips] == ["west.example/library/nginx:1"]
    assert targets(made.lost) == ["east.example/library/nginx:1"]


async def test_a_destination_is_in_the_plan_once_however_much_fails(world: World, plan):
    what = world.publish("nginx:1", image(blob("a")))
    hold(world.at("west", "library/nginx"), what, "1")
    world.at("west", "library/nginx").fail("absent", Unauthorized("no"))
    world.at_source("nginx").fail("manifest", Unauthorized("no"))

    made = await plan(world.rule("nginx", "1", referrers=True), world.rule("nginx", "1", to="x", rename=Tag("y")))

    told = targets(made.lost) + [str(skip.destination.reference) for skip in made.skips] + targets(made.copies)
    assert len(told) == len(set(told)) == 4


async def test_where_no_target_answers_the_source_is_not_read(world: World, plan):
    world.publish("nginx:1", image(blob("a")))
    for name in ("east", "west"):
        world.at(name, "library/nginx").fail("current", Unauthorized("no"))

    made = await plan(world.rule("nginx", "1"))

    assert len(targets(made.lost)) == 2
    assert world.at_source("nginx").called("manifest") == []
