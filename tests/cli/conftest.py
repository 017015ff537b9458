"""The command line, seen from outside."""

from pathlib import Path

import pytest
from cli_town import Shell, Town

from syncer.sandbox.world import World


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
async def town(shell: Shell):
    async with World(public=False) as world:
        origin = await world.add_registry("http://origin.example")
        target = await world.add_registry("http://target.example")
        yield Town(world, shell, origin, target)
