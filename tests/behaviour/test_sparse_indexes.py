"""A target that takes an index without all of its children gets the original one, and only the chosen platforms."""

from dataclasses import replace

import pytest
from builders import World, two_platforms

from syncer.content.places import Traits
from syncer.oci.names import Tag
from syncer.oci.platform import Platform
from syncer.planning.make import make_plan
from syncer.planning.verify import verify
from syncer.report.events import unseen
from syncer.report.model import Status
from syncer.settings.rules import Platforms, Rewrite
from syncer.state.memory import MemoryState

ARM = Platforms((Platform.parse("linux/arm64"),), Rewrite.NEVER)
BOTH = Platforms((Platform.parse("linux/arm64"), Platform.parse("linux/amd64")), Rewrite.NEVER)
TAG = Tag("1")


@pytest.fixture
def world():
    made = World("sparse", "strict")
    made.targets["sparse"].traits = Traits(sparse_indexes=True)
    made.publish("app:1", two_platforms())
    return made


def rule(world, platforms=ARM, **more):
    return world.rule("app", "1", platforms=platforms, **more)


async def test_the_original_index_lands_with_the_chosen_children_only(world, sync):
    (outcome,) = await sync(world, rule(world, targets=["sparse"]))
    target = world.at("sparse", "library/app")
    assert outcome.status is Status.COPIED
    assert outcome.digest == outcome.source_digest == target.named[TAG]
    assert len(target.manifests) == 2


async def test_a_strict_target_gets_a_smaller_index_in_the_same_run(world, sync):
    auto = replace(ARM, rewrite=Rewrite.AUTO)
    sparse, strict = sorted(await sync(world, rule(world, auto)), key=lambda outcome: str(outcome.target))
    assert (sparse.status, strict.status) == (Status.COPIED, Status.COPIED)
    assert sparse.digest == sparse.source_digest == strict.source_digest != strict.digest


async def test_what_is_there_is_up_to_date_and_costs_the_source_no_manifest(world, sync):
    await sync(world, rule(world, targets=["sparse"]))
    world.at_source("app").calls.clear()
    (outcome,) = await sync(world, rule(world, targets=["sparse"]))
    assert outcome.status is Status.UP_TO_DATE
    assert world.at_source("app").called("manifest") == []


async def test_one_more_platform_is_brought_under_the_same_digest(world, sync):
    await sync(world, rule(world, targets=["sparse"]))
    (outcome,) = await sync(world, rule(world, BOTH, targets=["sparse"]))
    assert outcome.status is Status.COPIED
    assert len(world.at("sparse", "library/app").manifests) == 3


async def test_verify_asks_for_the_chosen_platforms_only(world, sync):
    rules = rule(world, targets=["sparse"])
    await sync(world, rules)
    plan = await make_plan(world.settings(rules), world, MemoryState(), world.clock, world.attempts)
    (outcome,) = await verify(plan, world, world.attempts, unseen, deep=True)
    assert outcome.status is Status.OK


async def test_a_target_that_refuses_after_all_says_so(world, sync):
    world.targets["strict"].traits = Traits()
    (outcome,) = await sync(world, rule(world, targets=["strict"]))
    assert (outcome.status, outcome.failure.code) == (Status.BLOCKED, "E306")
