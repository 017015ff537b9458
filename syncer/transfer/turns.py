"""Slots for the blobs on their way to one registry: who is urgent comes first, then who came first."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Turns:
    """So many slots; `urgent` says of a delivery, when a slot becomes free, whether others wait for it."""

    def __init__(self, slots: int, urgent: Callable[[int], bool]) -> None:
        self._free = slots  # none of them while somebody waits
        self._urgent = urgent
        self._waiting: dict[asyncio.Future[None], int] = {}  # whose turn comes, in the order in which they came

    @asynccontextmanager
    async def one(self, number: int) -> AsyncIterator[None]:
        """Hold a slot, for the delivery `number`."""
        if self._free:
            self._free -= 1
        else:
            await self._turn(number)
        try:
            yield
        finally:
            self._pass_on()

    async def _turn(self, number: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = number
        try:
            await turn
        except asyncio.CancelledError:
            if self._waiting.pop(turn, None) is None:  # it had come in the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        turn = self._next()
        if turn is None:
            self._free += 1
        else:
            del self._waiting[turn]
            turn.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        waiting = {turn: number for turn, number in self._waiting.items() if not turn.cancelled()}
        return next((turn for turn, number in waiting.items() if self._urgent(number)), next(iter(waiting), None))
