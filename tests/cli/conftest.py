"""The command line, seen from outside."""

import logging
from pathlib import Path

import pytest
from cli_town import Shell, Town

from syncer.cli.logs import set_up
from syncer.cli.options import Options
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


@pytest.fixture
def options(request):
    """The options of a command line, with logging as a command sets it up."""
    given = dict.fromkeys(("report", "state_dir", "spool_dir", "spool_limit", "bwlimit", "max_duration"))
    given |= {"only": (), "skip": (), "jobs": 8, "retries": 5}
    flags = dict.fromkeys(("verbose", "quiet", "allow_empty"), False)
    words = {"config": Path("mirrors.yaml"), "output": "text", "progress": "auto", "log_format": "text"}
    made = Options(**given | flags | words | getattr(request, "param", {}))
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    set_up(made)
    yield made
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
