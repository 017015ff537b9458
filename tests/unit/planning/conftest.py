"""Plans made in a world of registries in memory."""

from __future__ import annotations

import pytest
from builders import World

from syncer.planning.make import make_plan
from syncer.state.memory import MemoryState


@pytest.fixture
def world() -> World:
    return World("east", "west")


@pytest.fixture
def state() -> MemoryState:
    return MemoryState()


@pytest.fixture
def plan(world: World, state: MemoryState):
    """Plan these rules."""

    async def made(*rules, choice=None):
        return await make_plan(world.settings(*rules), world, state, world.clock, world.attempts, choice)

    return made
