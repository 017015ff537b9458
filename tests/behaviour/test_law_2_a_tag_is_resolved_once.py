"""Law 2: a tag is resolved once, while planning; nobody to ask is not the same as nothing there."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import World, blob, image

from syncer.errors import NotFound, StalePlan, SyncerError, Unauthorized, Unreachable, Unresolved
from syncer.oci.digest import Digest
from syncer.oci.names import Tag
from syncer.oci.reference import Reference
from syncer.plan.model import Why
from syncer.planning.check import check_sources
from syncer.planning.make import make_plan
from syncer.report.model import Status

OLD, NEW = image(blob("old")), image(blob("new"))


async def test_law_2_a_tag_that_moves_after_planning_arrives_as_it_was_planned(world: World, sync):
    world.publish("nginx:1", OLD)
    source = world.at_source("nginx")

    async def move(verb: str, _what: object) -> None:
        if verb == "blob":
            source.named[Tag("1")] = NEW.digest

    source.before = move
    (outcome,) = await sync(world, world.rule("nginx", "1"))

    assert (outcome.digest, outcome.resolved_by) == (OLD.digest, "origin")
    assert len(source.called("resolve")) == 1


async def synced_once(world: World, sync) -> None:
    world.publish("nginx:1", OLD)
    await sync(world, world.rule("nginx", "1"))


async def test_law_2_a_tag_confirmed_lately_is_kept_when_nobody_can_be_asked(world: World, sync):
    await synced_once(world, sync)
    world.at_source("nginx").fail("resolve", Unresolved("two mirrors disagree"))

    (outcome,) = await sync(world, world.rule("nginx", "1"))

    assert (outcome.status, outcome.digest, outcome.source_digest) == (Status.KEPT, OLD.digest, None)
    assert outcome.failure.message == "two mirrors disagree"


@pytest.mark.parametrize(
    ("error", "why"),
    [(NotFound("gone"), "the origin says that it is gone"), (Unauthorized("no"), "credentials are ours to mend")],
)
async def test_law_2_an_answer_is_no_reason_to_keep_a_tag(world: World, sync, error: SyncerError, why: str):
    await synced_once(world, sync)
    world.at_source("nginx").fail("resolve", error)

    (outcome,) = await sync(world, world.rule("nginx", "1"))

    assert outcome.status is Status.FAILED, why


async def test_law_2_a_tag_is_not_kept_longer_than_configured(world: World, sync):
    await synced_once(world, sync)
    world.clock.advance(timedelta(days=7, seconds=1).total_seconds())
    world.at_source("nginx").fail("resolve", Unresolved("nobody answers"))

    (outcome,) = await sync(world, world.rule("nginx", "1"))

    assert outcome.status is Status.FAILED


async def test_law_2_a_tag_that_somebody_else_changed_is_not_kept(world: World, sync):
    await synced_once(world, sync)
    world.at("east", "library/nginx").named[Tag("1")] = NEW.digest
    world.at_source("nginx").fail("resolve", Unresolved("nobody answers"))

    (outcome,) = await sync(world, world.rule("nginx", "1"))

    assert outcome.status is Status.FAILED


async def planned(world: World, state):
    world.publish("nginx:1", OLD)
    return await make_plan(world.settings(world.rule("nginx", "1")), world, state, world.clock, world.attempts)


async def test_law_2_a_saved_plan_whose_source_has_moved_loses_that_image(world: World, state):
    plan = await planned(world, state)
    world.publish("nginx:1", NEW)

    checked = await check_sources(plan, world, world.attempts)

    assert [lost.failure.code for lost in checked.lost] == ["E510"]
    assert checked.copies == ()


async def test_law_2_a_saved_plan_says_what_a_tag_means_where_nobody_can_be_asked(world: World, state):
    plan = await planned(world, state)
    world.at_source("nginx").fail("resolve", *[Unreachable("no route")] * 6)

    checked = await check_sources(plan, world, world.attempts)

    assert [copy.resolved_by for copy in checked.copies] == ["plan"]


async def test_law_2_a_saved_plan_loses_an_image_that_was_up_to_date_and_has_moved(world: World, state, sync):
    await synced_once(world, sync)
    plan = await planned(world, state)
    world.publish("nginx:1", NEW)

    checked = await check_sources(plan, world, world.attempts)

    assert [skip.why for skip in plan.skips] == [Why.UP_TO_DATE]
    assert [lost.failure.code for lost in checked.lost] == ["E510"]
    assert checked.skips == ()


async def test_law_2_a_saved_plan_does_not_make_a_pinned_image_another_one(world: World, state):
    plan = await planned(world, state)
    (copy,) = plan.copies
    edited = replace(copy, source=copy.source.with_digest(Digest.of(b"another")))

    checked = await check_sources(replace(plan, copies=(edited,)), world, world.attempts)

    assert [lost.failure.code for lost in checked.lost] == ["E510"]


async def test_law_2_a_saved_plan_for_another_registry_than_the_targets_is_refused(world: World, state):
    plan = await planned(world, state)
    (copy,) = plan.copies
    (to,) = copy.destinations
    elsewhere = replace(to, reference=Reference.parse("elsewhere.example.com/nginx:1"))

    with pytest.raises(StalePlan, match=r"elsewhere\.example\.com/nginx:1"):
        await check_sources(replace(plan, copies=(replace(copy, destinations=(elsewhere,)),)), world, world.attempts)
