"""Progress where nobody watches: one line per changed image, and a heartbeat."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TextIO

from syncer.cli.logs import json_line
from syncer.cli.progress.tally import Tally
from syncer.formats.text import QUIET_STATUSES, line
from syncer.oci.shown import harmless
from syncer.report.events import ImageFinished, Noted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.clock import Clock
    from syncer.report.events import Event

HEARTBEAT = 30.0  # seconds: a job that is silent for longer looks dead to whoever reads its log


class Plain:
    """Writes lines with the time in front, or JSON objects, to a stream."""

    def __init__(self, stream: TextIO, clock: Clock, *, every: bool, as_json: bool) -> None:
        self._stream = stream
        self._clock = clock
        self._every = every
        self._as_json = as_json
        self._tally = Tally(clock)

    def __call__(self, event: Event) -> None:
        """Write a line for what a person would want in a log."""
        self._tally(event)
        match event:
            case ImageFinished(outcome) if self._every or outcome.status not in QUIET_STATUSES:
                self._write("image", line(outcome))
            case Noted(text):
                self._write("note", text)
            case _:
                return

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Beat while the block runs."""
        heart = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            heart.cancel()
            await asyncio.wait([heart])

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT)
            self._write("progress", self._tally.line())

    def _write(self, kind: str, text: str) -> None:
        now = self._clock.now()
        if self._as_json:
            text = json_line(kind, text, now)
        else:
            text = f"{now.astimezone():%H:%M:%S} {'progress  ' if kind == 'progress' else ''}{harmless(text)}"
        self._stream.write(f"{text}\n")
        self._stream.flush()
