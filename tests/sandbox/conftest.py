"""A world per test, and a plain HTTP client to look at it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import rawhttp

from syncer.clock import SteppedClock
from syncer.sandbox.images import image
from syncer.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with rawhttp.session() as client:
        yield client


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
async def world(clock: SteppedClock) -> AsyncIterator[World]:
    """Docker Hub with nginx:1.27, its servers under their real addresses."""
    async with World(clock, public=False) as made:
        made.hub.put("nginx", "1.27", image("nginx", "1.27"))
        yield made
