"""Whole runs against registries in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from builders import World

from syncer.engine.local import LocalEngine
from syncer.engine.stop import Stop
from syncer.planning.make import make_plan
from syncer.report.events import unseen
from syncer.report.model import Outcome
from syncer.state.memory import MemoryState
from syncer.transfer.tuning import Tuning

if TYPE_CHECKING:
    from syncer.settings.rules import Rule

Sync = Callable[..., Awaitable[tuple[Outcome, ...]]]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def state() -> MemoryState:
    return MemoryState()


@pytest.fixture
def sync(state: MemoryState) -> Sync:
    """Plan and run rules in a world, as `syncer sync` does."""

    async def run(world: World, *rules: Rule, stop: Stop | None = None, jobs: int = 8, observe=unseen):
        plan = await make_plan(world.settings(*rules), world, state, world.clock, world.attempts)
        engine = LocalEngine(world.attempts, world.clock, state, jobs=jobs, tuning=Tuning(gather=0.2, stall=0.2))
        return await engine.run(plan, world, observe, stop or Stop())

    return run
