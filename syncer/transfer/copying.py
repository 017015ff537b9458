"""One image from its source to all of its destinations, none of which can stop another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from syncer.errors import DeadlinePassed, SyncerError
from syncer.report.events import ImageStarted
from syncer.report.model import Status
from syncer.report.verdict import failed, worst
from syncer.transfer.delivery import Delivery
from syncer.transfer.feed import Feed
from syncer.transfer.graph import Walk
from syncer.transfer.outcomes import begun
from syncer.transfer.shared import Shared
from syncer.transfer.spooling import Spooling
from syncer.transfer.tuning import Tuning

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from syncer.attempts import Attempts
    from syncer.clock import Clock
    from syncer.content.places import Places
    from syncer.plan.model import Copy, Destination
    from syncer.report.events import Observer
    from syncer.report.model import Outcome
    from syncer.state.spool import Spool
    from syncer.transfer.graph import Graph


T = TypeVar("T")


class Transfer:
    """Runs copies, several at once; they share what each finds out about who has which blob.

    The tasks that read for several targets belong to `readers`, which must outlive every call of `copy`.
    """

    def __init__(
        self,
        attempts: Attempts,
        clock: Clock,
        observe: Observer,
        readers: asyncio.TaskGroup,
        tuning: Tuning | None = None,
        spool: Spool | None = None,
    ) -> None:
        tuning = tuning or Tuning()
        self._attempts = attempts
        self._clock = clock
        self._observe = observe
        self._feed = Feed(attempts, observe, tuning, readers, Spooling(spool, clock, tuning))
        self._shared = Shared(attempts, self._feed, tuning)

    @property
    def read_again(self) -> int:
        """Bytes that sources were asked for more than once, for want of memory or because targets came apart."""
        return self._feed.read_again

    def found_something_in(self, destinations: Iterable[Destination]) -> None:
        """Their repositories hold images already: there it is worth asking for manifests before they are put."""
        self._shared.occupied.update((to.target, to.reference.repository) for to in destinations)

    async def copy(self, copy: Copy, places: Places, done: Callable[[Destination, Outcome], None]) -> None:
        """Bring `copy` to its destinations; `done` hears of each as soon as it is known what became of it."""
        self._observe(ImageStarted(copy.source))
        started = self._clock.monotonic()

        def finished(to: Destination, outcome: Outcome) -> None:
            done(to, replace(outcome, seconds=self._clock.monotonic() - started))

        run = _Begun(copy, asyncio.get_running_loop().time() + copy.deadline, finished)
        graph = None
        try:
            graph = await run.in_time(Walk(places.source(copy.source), self._attempts).copy(copy))
        except* Exception as group:  # noqa: BLE001 - a bug is told, and ends no other image
            for to in copy.destinations:
                finished(to, failed(begun(copy, to), worst(group)))
        if graph is not None:
            await self._to_all(run, graph, places)

    async def _to_all(self, run: _Begun, graph: Graph, places: Places) -> None:
        """All deliveries exist before the first begins: so each read knows for whom it may have to wait."""
        copy = run.copy
        ready: list[tuple[Destination, Delivery]] = []
        for to in copy.destinations:
            try:
                registry = places.registry(to.target)
            except SyncerError as error:
                run.finished(to, failed(begun(copy, to), error))
            else:
                origin = (places.source(copy.source), copy.source)
                ready.append((to, Delivery(self._shared, graph, origin, registry, to)))
        async with asyncio.TaskGroup() as group:
            for to, delivery in ready:
                group.create_task(_delivered(run, to, delivery))


@dataclass(frozen=True, slots=True)
class _Begun:
    """A copy that has begun, and when it has to have ended."""

    copy: Copy
    until: float  # by the event loop's time
    finished: Callable[[Destination, Outcome], None]

    async def in_time(self, work: Awaitable[T]) -> T:
        """What `work` comes to; DeadlinePassed where that is too late."""
        try:
            async with asyncio.timeout_at(self.until) as timeout:
                return await work
        except TimeoutError:
            if not timeout.expired():
                raise
        message = f"{self.copy.source} was not in place {self.copy.deadline:g} s after its copying began"
        raise DeadlinePassed(message)


async def _delivered(run: _Begun, to: Destination, delivery: Delivery) -> None:
    copy, error = run.copy, None
    try:
        await run.in_time(delivery.run())
    except* Exception as group:  # noqa: BLE001 - a bug is told, and ends no other delivery
        error = worst(group)
    tally = delivery.tally
    outcome = replace(
        begun(copy, to),
        via=tuple(sorted(tally.via)),
        bytes_moved=tally.moved,
        bytes_reused=tally.reused,
        attempts=delivery.attempts,
    )
    landed = replace(outcome, status=Status.COPIED, digest=copy.landing.digest, verified=True)
    run.finished(to, landed if error is None else failed(outcome, error))
