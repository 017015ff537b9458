"""`python -m syncer.sandbox`: the world by hand, for other tools, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib

from syncer.sandbox.gallery import ODDITIES
from syncer.sandbox.images import image
from syncer.sandbox.world import World


async def run() -> None:
    """Start the world, and print where everything is."""
    async with World(public=False) as world:
        await world.add_chinese_mirrors()
        await world.add_registry("https://registry.example.test")
        for region in ("cn-north-1", "cn-northwest-1", "us-east-1"):
            await world.add_region(region)
        for name, tag in (("nginx", "1.27"), ("redis", "7.4"), ("busybox", "1.36")):
            world.hub.put(name, tag, image(name, tag))
        for name, make in ODDITIES.items():
            world.hub.put("oddities", name, make())
        for server in world.servers:
            print(f"{server.name:56} {server.address}", flush=True)  # noqa: T201 - this is what it is for
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())
