"""What planning asks of places."""

from dataclasses import replace

import pytest
from builders import World, image

from syncer.errors import RepositoryMissing
from syncer.oci.names import RepositoryName
from syncer.oci.reference import Reference
from syncer.planning.looks import Looks
from syncer.planning.make import make_plan
from syncer.state.memory import MemoryState


async def test_a_reference_without_tag_and_digest_means_nothing():
    world = World()
    with pytest.raises(ValueError, match="names no image"):
        await Looks(world, world.attempts, {}).resolve(Reference.parse_name("app"))


@pytest.mark.parametrize(("create", "lost"), [(True, []), (False, [RepositoryMissing.code])])
async def test_a_missing_repository_is_created_or_else_an_error(create, lost):
    world = World()
    world.publish("app:1", image(b"layer"))
    world.at("east", "library/app").fail("current", RepositoryMissing("it does not exist", host="east.example"))
    settings = world.settings(world.rule("app", "1"))
    east = settings.targets["east"]
    east = replace(east, repositories=replace(east.repositories, create=create))
    plan = await make_plan(replace(settings, targets={"east": east}), world, MemoryState(), world.clock, world.attempts)
    assert [each.failure.code for each in plan.lost] == lost
    assert [RepositoryName(name) for _, name in plan.creates] == ([RepositoryName("library/app")] if create else [])
