"""Progress on a terminal: one live region with bars for the blobs in flight, a total, and failures above it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rich.live import Live as Region
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from syncer.cli.progress.tally import Tally
from syncer.formats.text import line
from syncer.formats.units import size
from syncer.report.events import ImageFinished, Noted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.console import Console

    from syncer.clock import Clock
    from syncer.report.events import Event

BARS = 8  # blobs shown at a time, the largest first
PER_SECOND = 6  # samples of the counters; drawing at every chunk would cost five times the CPU


class Live:
    """Draws a Tally."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._tally = Tally(clock)

    def __call__(self, event: Event) -> None:
        """Count `event`; what failed or was noted scrolls by above the region."""
        self._tally(event)
        match event:
            case ImageFinished(outcome) if outcome.failure:
                self._console.print(Text(line(outcome), style="red"), soft_wrap=True)
            case Noted(text):
                self._console.print(Text(text, style="yellow"), soft_wrap=True)
            case _:
                return

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Draw while the block runs; the region is gone afterwards, the report takes its place."""
        with Region(get_renderable=self._drawn, console=self._console, refresh_per_second=PER_SECOND, transient=True):
            yield

    def _drawn(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=3)
        table.add_column(ratio=2)
        table.add_column(no_wrap=True, justify="right")
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=2)
        for blob in sorted(self._tally.blobs.copy().values(), key=lambda blob: -blob.size)[:BARS]:
            bar = ProgressBar(total=max(blob.size, 1), completed=blob.done)
            table.add_row(blob.title, bar, f"{size(blob.done)}/{size(blob.size)}", blob.host)
        outer = Table.grid()
        outer.add_row(table)
        outer.add_row(Text(self._tally.line(), style="bold"))
        return outer
