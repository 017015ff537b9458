"""Progress on a terminal: one live region with bars for the blobs in flight, a total, and failures above it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live as Region
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from syncer.cli.progress.tally import InFlight, Tally
from syncer.formats.text import line
from syncer.formats.units import size
from syncer.oci.shown import harmless
from syncer.report.events import ImageFinished, Noted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.console import Console, RenderableType

    from syncer.clock import Clock
    from syncer.report.events import Event

BARS = 8  # blobs shown at a time, the largest first
PERIOD = 1 / 6  # seconds between drawings; one at every chunk would cost five times the CPU
_ROOMY = 60  # columns; with fewer there is only room for name and bar
_NARROWEST_BAR, _WIDEST_BAR = 8, 30


class Live:
    """Draws a Tally."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._tally = Tally(clock)

    def __call__(self, event: Event) -> None:
        """Count `event`; what failed or was noted scrolls by above the region."""
        self._tally(event)
        match event:
            case ImageFinished(outcome) if outcome.failure:
                self._console.print(Text(line(outcome), style="red"), soft_wrap=True)
            case Noted(text):
                self._console.print(Text(harmless(text), style="yellow"), soft_wrap=True)
            case _:
                return

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Draw while the block runs; the region is gone afterwards, the report takes its place.

        Drawn by a task and not by a thread of rich's own: what it counts changes on this loop.
        """
        with Region(get_renderable=self._drawn, console=self._console, auto_refresh=False, transient=True) as region:
            drawing = asyncio.create_task(self._draw(region))
            try:
                yield
            finally:
                drawing.cancel()
                await asyncio.wait([drawing])

    async def _draw(self, region: Region) -> None:
        while True:
            region.refresh()
            await self._clock.sleep(PERIOD)

    def _drawn(self) -> RenderableType:
        total = Text(self._tally.line(), style="bold", no_wrap=True, overflow="ellipsis")
        blobs = sorted(self._tally.blobs.values(), key=lambda blob: -blob.size)[:BARS]
        return Group(self._bars(blobs), total) if blobs else total

    def _bars(self, blobs: list[InFlight]) -> Table:
        roomy = self._console.width >= _ROOMY
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(min_width=_NARROWEST_BAR, max_width=_WIDEST_BAR, ratio=2)
        if roomy:
            table.add_column(no_wrap=True, justify="right")
            table.add_column(no_wrap=True, overflow="ellipsis", ratio=2)
        for blob in blobs:
            bar = ProgressBar(total=max(blob.size, 1), completed=blob.done)
            amounts = (Text(f"{size(blob.done)}/{size(blob.size)}"), Text(blob.host)) if roomy else ()
            table.add_row(Text(_cut(blob.title, self._console.width * 2 // 5)), bar, *amounts)
        return table


def _cut(name: str, room: int) -> str:
    """`name` in at most `room` columns; its beginning and its end say the most."""
    return name if len(name) <= room else f"{name[: room // 2]}…{name[len(name) - (room - 1) // 2 :]}"
