"""Hundreds of images wait for one blob; the one that brings it fails, and another takes over."""

import asyncio

from builders import World, blob, image

from syncer.content.places import Traits
from syncer.errors import ServerError
from syncer.report.model import Status

BASE = blob("base", 6_000_000)  # too large for the shelf
WAITERS = 200


async def test_a_follower_takes_over_when_the_image_that_leads_hundreds_fails(sync):
    world = World("east")
    world.targets["east"].traits = Traits(empty_blobs=False, batches=True, mounts_uncommitted=False)
    names = [f"i{n}" for n in range(WAITERS)]
    for name in names:
        world.publish(f"{name}:1", image(BASE, blob(name)))
    world.at("east", "library/i0").fail("put_manifest", *[ServerError("503")] * 100)

    outcomes = await asyncio.wait_for(sync(world, *(world.rule(name, "1") for name in names), jobs=WAITERS), 45)

    assert [outcome.status for outcome in outcomes] == [Status.FAILED] + [Status.COPIED] * (WAITERS - 1)
    assert sum(outcome.bytes_moved > len(BASE) for outcome in outcomes[1:]) == 1
