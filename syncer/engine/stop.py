"""How a run is told to end early: first gently, then at once."""

from __future__ import annotations

import asyncio

from syncer.errors import Interrupted, SyncerError, TimeIsUp


class Stop:
    """Set by signal handlers and by a time limit, on the event loop; read by the engine.

    The first word lets what is under way go on for a grace period and begins nothing new; the second one ends it all.
    """

    def __init__(self, grace: float = 25.0) -> None:
        self.grace = grace  # seconds; orchestrators kill after 30
        self.exit_code: int | None = None  # 130 or 143: what the first signal means for the exit code
        self.expired = False  # the time allowed was over before any signal came
        self._draining = asyncio.Event()
        self._at_once = asyncio.Event()

    @property
    def requested(self) -> bool:
        """Whether nothing new may begin."""
        return self._draining.is_set()

    def drain(self, exit_code: int) -> None:
        """Begin nothing new; what runs has `grace` seconds. Said again, it means `now`."""
        if self.exit_code is not None:
            self.now()
        self.exit_code = self.exit_code or exit_code
        self._draining.set()

    def expire(self) -> None:
        """The time allowed is over: begin nothing new; what runs has `grace` seconds."""
        self.expired = self.expired or not self.requested
        self._draining.set()

    def refusal(self, what: str) -> SyncerError:
        """Why `what` was not done."""
        if self.expired and self.exit_code is None:
            return TimeIsUp(f"the time allowed was over before {what}")
        return Interrupted(f"the run was stopped before {what}")

    def now(self) -> None:
        """End what runs."""
        self._draining.set()
        self._at_once.set()

    async def asked(self) -> None:
        """Return at the first word."""
        await self._draining.wait()

    async def passed(self) -> None:
        """Return when whatever still runs has to be ended."""
        await self._draining.wait()
        try:
            async with asyncio.timeout(self.grace):
                await self._at_once.wait()
        except TimeoutError:
            return
