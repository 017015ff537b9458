"""SIGINT and SIGTERM: first finish what can be finished, then stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from syncer.engine.stop import Stop
from syncer.report.events import Noted

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from syncer.report.events import Observer

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping(observe: Observer) -> Iterator[Stop]:
    """A Stop that the signals set while the block runs; on the event loop."""
    stop, loop = Stop(), asyncio.get_running_loop()

    def received(number: signal.Signals) -> None:
        if not stop.requested:
            observe(Noted(f"{number.name}: finishing what can be finished in {stop.grace:.0f} s; again to stop now"))
        stop.drain(128 + number)

    for number in SIGNALS:
        loop.add_signal_handler(number, received, number)
    try:
        yield stop
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


async def unless_stopped(stop: Stop, work: Coroutine[None, None, T]) -> T:
    """The result of `work`, which only reads; a signal ends it and the program at once."""
    task, asked = asyncio.create_task(work), asyncio.create_task(stop.asked())
    await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
        sys.exit(stop.exit_code)
    return task.result()
