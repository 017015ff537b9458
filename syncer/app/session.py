"""One run of a command: the parts it shares, and the deeds that commands are made of."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from syncer.app import kinds
from syncer.app.ahead import connecting
from syncer.app.parts import Parts
from syncer.app.places import WiredPlaces
from syncer.attempts import Attempts, Policy
from syncer.errors import StalePlan
from syncer.planning.check import check_sources, preview
from syncer.planning.make import make_plan
from syncer.planning.verify import verify
from syncer.report.events import unseen
from syncer.report.model import Report, Run
from syncer.selection.images import Choice
from syncer.settings.terms import Overwrite, Rollback
from syncer.state.memory import MemoryState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from syncer.app.parts import Outside
    from syncer.engine.protocol import Engine
    from syncer.engine.stop import Stop
    from syncer.plan.model import Plan
    from syncer.report.events import Observer
    from syncer.report.model import Outcome
    from syncer.settings.bandwidth import Timetable
    from syncer.settings.rules import Settings
    from syncer.state.records import State
    from syncer.state.spool import Spool


@dataclass(frozen=True, slots=True)
class Task:
    """What a command was told to do, and how."""

    command: str
    choice: Choice = field(default_factory=Choice)
    jobs: int = 64  # images copied at a time
    retries: int = 5  # repetitions of a failed step
    engine: str = "local"  # one of kinds.ENGINES
    bandwidth: Timetable | None = None  # of all bodies together, in each direction


class Session:
    """A run in progress."""

    def __init__(self, settings: Settings, outside: Outside, task: Task, state: State | None = None) -> None:
        self._settings = settings
        self._task = task
        self._clock = outside.clock
        self._state = state or MemoryState()
        self._parts = Parts(settings, outside, task.bandwidth)
        self._places = WiredPlaces(self._parts)
        self._attempts = Attempts(replace(Policy(), attempts=task.retries + 1), self._clock)
        self._began = self._clock.monotonic()
        self._started = self._clock.now()

    async def plan(self) -> Plan:
        """What has to be done; raises NothingSelected."""
        return await self._plan(self._settings, self._state)

    async def _plan(self, settings: Settings, state: State) -> Plan:
        choice = self._task.choice
        async with connecting(self._parts, self._state, choice):
            return await make_plan(settings, self._places, state, self._clock, self._attempts, choice)

    def preview(self, plan: Plan) -> Report:
        """What carrying out `plan` would come to."""
        return self.report(preview(plan), plan.warnings)

    async def carry_out(self, plan: Plan, stop: Stop, observe: Observer = unseen, spool: Spool | None = None) -> Report:
        """Do what `plan` says; reads that may have to be repeated are kept in `spool`."""
        make = kinds.load(kinds.ENGINES[self._task.engine])
        engine: Engine = make(self._attempts, self._clock, self._state, jobs=self._task.jobs, spool=spool)
        outcomes = await engine.run(plan, self._places, observe, stop)
        return self.report(outcomes, plan.warnings, interrupted=stop.exit_code)

    async def rechecked(self, plan: Plan) -> Plan:
        """`plan` without the copies whose source means something else by now; raises StalePlan for another file."""
        if plan.config_sha256 != self._settings.sha256:
            raise StalePlan(f"the plan was made from another {plan.config}: {self._settings.path} has changed since")
        return await check_sources(plan, self._places, self._attempts)

    async def verify(self, *, deep: bool, observe: Observer = unseen) -> Report:
        """Read the targets back and compare them with what the sources mean; no state is believed."""
        anything = self._settings.on_terms(overwrite=Overwrite.ANY, rollback=Rollback.ALLOW)
        plan = await self._plan(anything, MemoryState())
        outcomes = await verify(plan, self._places, self._attempts, observe, deep=deep)
        return self.report(outcomes, plan.warnings)

    def report(
        self, outcomes: Sequence[Outcome], warnings: Sequence[str] = (), interrupted: int | None = None
    ) -> Report:
        """The report of this run, as of now."""
        seconds = self._clock.monotonic() - self._began
        identity = f"{self._started:%Y%m%dT%H%M%S}-{int(self._clock.random() * 0x10000):04x}"
        run = Run(identity, self._task.command, self._started.isoformat(), seconds)
        trouble = (self._state.trouble,) if self._state.trouble else ()
        hosts = self._parts.clients.hosts
        said = (*warnings, *_unverified(self._settings), *trouble, *hosts.warnings())
        return Report(run, tuple(outcomes), hosts.lines(), said, interrupted)

    async def aclose(self) -> None:
        """Let go of every connection."""
        await self._parts.aclose()


@asynccontextmanager
async def session(
    settings: Settings, outside: Outside, task: Task, state: State | None = None
) -> AsyncIterator[Session]:
    """A run that lets go of its connections when the block ends."""
    made = Session(settings, outside, task, state)
    try:
        yield made
    finally:
        await made.aclose()


def _unverified(settings: Settings) -> Iterator[str]:
    """A warning for each host of the file whose certificate is not looked at: nobody should forget that."""
    registries = settings.registries.values()
    endpoints = [endpoint for each in registries for endpoint in (each.endpoint, *(m.endpoint for m in each.mirrors))]
    for name in sorted({endpoint.name for endpoint in endpoints if not endpoint.tls.verify}):
        yield f"{name}: any certificate is believed there (`verify: false`)"
