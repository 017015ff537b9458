"""What an engine is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from syncer.content.places import Places
    from syncer.engine.stop import Stop
    from syncer.plan.model import Plan
    from syncer.report.events import Observer
    from syncer.report.model import Outcome


class Engine(Protocol):
    """Runs the copies of a plan; passes `tests/contract/test_engine.py`."""

    async def run(self, plan: Plan, places: Places, observe: Observer, stop: Stop) -> tuple[Outcome, ...]:
        """One outcome for each destination of `plan`, whatever happens, and be it a bug."""
