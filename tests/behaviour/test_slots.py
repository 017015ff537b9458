"""Nobody waits for a slot while holding one that somebody needs: a run with one slot at every host still ends."""

import asyncio
from contextlib import asynccontextmanager

from builders import World, blob, complete, image

from syncer.content.memory import MemoryTarget
from syncer.errors import TimedOut
from syncer.report.model import Status


def one_slot(target: MemoryTarget, slot: asyncio.Semaphore) -> None:
    """Reads and writes of blobs take a slot, and hold it until the last byte."""
    put, opened = target.put_blob, target.blob

    async def put_blob(d, content, mount_from=()):
        async with slot:
            return await put(d, content, mount_from)

    @asynccontextmanager
    async def blob_(d, start=0, stop=None, avoid=frozenset()):
        async with slot, opened(d, start, stop, avoid) as stream:
            yield stream

    target.put_blob, target.blob = put_blob, blob_


async def test_one_slot_per_host_eight_blobs_three_targets_one_of_them_dead(sync):
    world = World("east", "west", "dead")
    pull = asyncio.Semaphore(1)
    for name in "ab":
        world.publish(f"{name}:1", image(*(blob(f"{name} {n}", 3_000_000) for n in range(4))))
        one_slot(world.at_source(name), pull)
    for registry in world.targets:
        push = asyncio.Semaphore(1)
        for name in "ab":
            one_slot(world.at(registry, f"library/{name}"), push)

    async def hang(verb: str, _what: object) -> None:
        if verb == "put_blob":
            await asyncio.sleep(0.05)
            raise TimedOut("no answer", host="dead")

    for name in "ab":
        world.at("dead", f"library/{name}").before = hang

    outcomes = await asyncio.wait_for(sync(world, world.rule("a", "1"), world.rule("b", "1")), 30)

    ended = {(str(outcome.target.registry), outcome.status) for outcome in outcomes}
    assert ended == {
        ("east.example", Status.COPIED),
        ("west.example", Status.COPIED),
        ("dead.example", Status.FAILED),
    }
    assert all(complete(world.at(registry, f"library/{name}")) for registry in ("east", "west") for name in "ab")
