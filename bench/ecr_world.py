"""A process that plays a registry and ECR with the same tags in both: `python -m bench.ecr_world TAGS`.

It prints where everything is, then answers every line on stdin with the requests since the last one, by kind.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from bench.corpus import tiny_tags
from bench.counts import Asked
from syncer.sandbox.images import populate
from syncer.sandbox.world import World

if TYPE_CHECKING:
    from syncer.sandbox.log import Entry

SOURCE = "registry.example.test"
REGION = "us-east-1"
REPOSITORIES = 10


def kind(entry: Entry) -> str:
    """What sort of request it is: of the AWS API its operation."""
    if operation := entry.headers.get("X-Amz-Target"):
        return operation.rpartition(".")[2]
    return Asked(entry.method, entry.path, parse_qs(entry.query), entry.status, entry.sent).kind


def seen(world: World) -> dict[str, Counter[str]]:
    """The requests so far at either end; they are forgotten."""
    found: dict[str, Counter[str]] = {"source": Counter(), "target": Counter()}
    for entry in world.log.entries:
        found["source" if entry.server == SOURCE else "target"][kind(entry)] += 1
    world.log.clear()
    return found


async def serve(tags: int) -> None:
    """Hold `tags` tags at both ends until stdin ends."""
    async with World() as world:
        source = (await world.add_registry(f"https://{SOURCE}")).store
        region = await world.add_region(REGION)
        images = tiny_tags(tags // REPOSITORIES)
        names = [f"apps/app-{number}" for number in range(REPOSITORIES)]
        for name in names:
            region.registry.create(name)
            for tag, image in images.items():
                populate(source, name, tag, image)
                populate(region.registry.store, name, tag, image)
        host = region.names.registry_host(region.registry.account)
        print(json.dumps({"source": SOURCE, "target": host, "repositories": names, "dial": world.dial}), flush=True)
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while await lines.readline():
            print(json.dumps(seen(world)), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
