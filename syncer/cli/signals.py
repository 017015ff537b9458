"""What ends a run from outside, from its first line to its last: no signal is lost, and none cuts a report short."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeVar

from syncer.cli import stopping
from syncer.engine.stop import Stop
from syncer.report.events import Noted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from syncer.report.events import Observer

T = TypeVar("T")
_PATIENCE = 2  # signals: the first drains, the second stops, a third does not even wait for the report


class Stopped(KeyboardInterrupt):
    """A signal ended the command where there was nothing to finish.

    A KeyboardInterrupt, since asyncio lets those through at once and keeps all others in their task.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code

    @property
    def name(self) -> str:
        """Such as SIGTERM."""
        return stopping.name(self.exit_code)


class Signals:
    """What a signal means now: it ends the command, is remembered for the end, or drains the engine."""

    def __init__(self) -> None:
        self.exit_code: int | None = None  # of the first signal that was not answered by ending at once
        self.touched = False  # whether there is something at a target that there was not before
        self._count = 0
        self._answer: Callable[[int], None] = self._end

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Answer the signals while the block runs."""
        before = {number: signal.signal(number, self._receive) for number in stopping.heeded()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def remembered(self) -> Iterator[None]:
        """While the block runs a signal only sets `exit_code`; a second one ends the command."""
        with self._answered(self._remember):
            yield

    @contextmanager
    def draining(self, observe: Observer) -> Iterator[Stop]:
        """A Stop that the signals set while the block runs; on the event loop."""
        stop, loop = Stop(), asyncio.get_running_loop()

        def received(exit_code: int) -> None:
            if not stop.requested:
                name = Stopped(exit_code).name
                observe(Noted(f"{name}: finishing what can be finished in {stop.grace:.0f} s; again to stop now"))
            stop.drain(exit_code)

        def answer(exit_code: int) -> None:
            self.exit_code = self.exit_code or exit_code  # now: the loop may not come to it before it is stopped
            if self._count > _PATIENCE:
                self._end(self.exit_code)
            loop.call_soon_threadsafe(received, exit_code)

        with self._answered(answer):
            if self.exit_code is not None:
                received(self.exit_code)
            yield stop

    def leave(self, exit_code: int) -> NoReturn:
        """End the process; after a signal without waiting for threads that may hang in somebody else's code."""
        if self._count:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.exit_code or exit_code)
        sys.exit(exit_code)

    def _receive(self, number: int, _frame: object) -> None:
        self._count += 1
        self._answer(stopping.exit_code(number))

    @contextmanager
    def _answered(self, answer: Callable[[int], None]) -> Iterator[None]:
        before, self._answer = self._answer, answer
        try:
            yield
        finally:
            self._answer = before

    def _end(self, exit_code: int) -> NoReturn:
        raise Stopped(exit_code)

    def _remember(self, exit_code: int) -> None:
        if self.exit_code is not None:
            self._end(exit_code)
        self.exit_code = exit_code


class Threads(ThreadPoolExecutor):
    """Threads that the event loop does not wait for when it closes: the report comes first."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the executor's own signature
        """Take no more work, and wait for nothing."""
        super().shutdown(wait=False, cancel_futures=True)


async def unless_stopped(stop: Stop, work: Coroutine[None, None, T]) -> T:
    """The result of `work`, which only reads; a signal or the end of its time ends it, and the command."""
    task, asked = asyncio.create_task(work), asyncio.create_task(stop.asked())
    await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
        if stop.exit_code is None:
            raise stop.refusal("anything was touched")
        raise Stopped(stop.exit_code)
    return task.result()
