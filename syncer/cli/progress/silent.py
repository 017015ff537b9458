"""No progress at all."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.report.events import Event


class Silent:
    """Shows nothing."""

    def __call__(self, _event: Event) -> None:
        """Take no notice."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the block."""
        yield
