"""One read of a blob, passed on to every target that is ready for it.

A tee gathers the targets that need the blob now, opens the source once, and hands each chunk to all of them. What the
slowest has not taken yet stays in memory, at most a window; who stands still while others wait is let go, and served
later by a read of its own. A registry that takes bytes of any read is slow, and does not stand still.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING

from syncer.errors import CorruptContent, SyncerError, TimedOut, Unreachable
from syncer.report.events import BlobFinished, BlobMoved, BlobStarted
from syncer.transfer.shelf import Shelved

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncIterator, Callable

    from syncer.content.places import Source
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.reference import Reference
    from syncer.report.events import Observer
    from syncer.transfer.held import Beginning
    from syncer.transfer.reading import Reading
    from syncer.transfer.shelf import Shelf, Windows
    from syncer.transfer.spooling import Keeper
    from syncer.transfer.tuning import Tuning


class Branch:
    """What one target gets of a tee."""

    def __init__(self, registry: str, taken: Callable[[str], None]) -> None:
        self.registry = registry
        self.behind = 0  # bytes that wait for this target
        self.error: SyncerError | None = None
        self.let_go = False  # it stood still while others waited
        self._taken = taken
        self._queue: deque[bytes] = deque()
        self._ended = False
        self._news = asyncio.Event()

    def put(self, chunk: bytes) -> None:
        """Hand over the next bytes."""
        self._queue.append(chunk)
        self.behind += len(chunk)
        self._news.set()

    def end(self, error: SyncerError | None = None) -> None:
        """Nothing follows: all was handed over, or `error` says why not."""
        self._ended, self.error = True, error
        self._news.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes in order; raises what ended them early."""
        while True:
            await self._news.wait()
            if self.error is not None:
                raise self.error
            if not self._queue:
                if self._ended:
                    return
                self._news.clear()
                continue
            chunk = self._queue.popleft()
            self.behind -= len(chunk)
            self._taken(self.registry)
            yield chunk


class Tee:
    """Several branches of one reading; `run` is the task that reads.

    It is `borrowed` where it reads our own copy at a target instead of the source: then a failure is no loss.
    """

    def __init__(
        self,
        d: Descriptor,
        origin: tuple[Source, Reference],
        reading: Reading,
        tuning: Tuning,
        taken: Counter[str],
        *,
        borrowed: bool = False,
    ) -> None:
        self.d = d
        self.borrowed = borrowed
        self.reading = reading
        self.branches: list[Branch] = []
        self.late: set[str] = set()  # registries that did not come in time, or were let go
        self.error: SyncerError | None = None  # what the reading ended with
        self.passed = 0  # bytes that were handed over
        self.reader: asyncio.Task[None] | None = None  # set once it reads: a read that nobody needs is cancelled
        self.held: Beginning | None = None  # gets the bytes too, for a target that has to be served again
        self.source, self._wanted_by = origin
        self._tuning = tuning
        self._taken = taken  # chunks that each registry took, of all reads
        self._moved = asyncio.Event()  # somebody came, left or took bytes

    @property
    def worth_repeating(self) -> bool:
        """Whether another read may do better: another host may be honest, the source has what a target lost."""
        return self.borrowed or isinstance(self.error, CorruptContent)

    def join(self, registry: str) -> Branch:
        """One more target that will get all bytes; only before `run` has begun to read."""
        branch = Branch(registry, self._took)
        self.branches.append(branch)
        self.poke()
        return branch

    def leave(self, branch: Branch) -> None:
        """That target needs nothing more; where the rest can be held for another attempt, the reading goes on."""
        if branch in self.branches:
            self.branches.remove(branch)
        if not (self.held and self.held.takes_all):
            self._end_in_vain()
        self.poke()

    def poke(self) -> None:
        """Something changed that `gathered` or the reading may wait for."""
        self._moved.set()

    async def gathered(self, awaited: Callable[[], set[str]]) -> None:
        """Wait until `awaited` names nobody who has not come, but not for long."""
        try:
            async with asyncio.timeout(self._tuning.gather):
                while self.branches and self._not_here(awaited()):
                    await self._change()
        except TimeoutError:
            self.late = self._not_here(awaited())

    async def run(self, windows: Windows, shelf: Shelf, observe: Observer, keeper: Keeper | None = None) -> None:
        """Read once; every branch gets everything, or the error that was met. `keeper` gets it too."""
        self.reader = asyncio.current_task()
        if self.held:
            self.held.stopped = self._end_in_vain
        keep = self.d.size <= self._tuning.shelved
        observe(BlobStarted(self._wanted_by, self.d.digest, self.d.size))
        try:
            async with windows.taken(self.d.size if keep else self._tuning.window):
                kept = await self._passed(observe, keeper, keep=keep)
        except SyncerError as error:
            self._end(self._lost(error) if self.borrowed else error)
        else:
            if keep and self.branches:
                shelf.put(self.d.digest, Shelved(b"".join(kept), tuple(self.reading.hosts)))
            self._end(None)
        finally:
            observe(BlobFinished(self.d.digest))

    async def _passed(self, observe: Observer, keeper: Keeper | None, *, keep: bool) -> list[bytes]:
        """Pass everything on, and return the chunks if they are small enough to `keep`."""
        kept: list[bytes] = []

        def moved(count: int, host: str) -> None:
            observe(BlobMoved(self.d.digest, count, host))

        async with aclosing(self.reading.chunks(moved)) as chunks:
            async for chunk in chunks:
                for branch in self.branches:
                    branch.put(chunk)
                self.passed += len(chunk)
                if keep:
                    kept.append(chunk)
                if keeper is not None:
                    await keeper.put(chunk)
                if self.held:
                    self.held.put(chunk)
                if not self.branches:
                    await asyncio.sleep(0)  # it may have become in vain, and whoever is served comes first
                await self._room()
        return kept

    async def _room(self) -> None:
        """Wait until no branch is a window behind; let go of those that stand still while others wait."""
        while full := self._full():
            before = {branch: self._taken[branch.registry] for branch in full}
            try:
                async with asyncio.timeout(self._tuning.stall):
                    while full == self._full():
                        await self._change()
            except TimeoutError:
                self._let_go([branch for branch in full if self._taken[branch.registry] == before[branch]])

    def _end_in_vain(self) -> None:
        """Read no further if nobody needs it."""
        if self.reader and not self.branches:
            self.reader.cancel()

    def _full(self) -> list[Branch]:
        return [branch for branch in self.branches if branch.behind >= self._tuning.window]

    def _let_go(self, still: list[Branch]) -> None:
        if len(still) == len(self.branches):
            return  # nobody waits for them; whether they are dead is for the wire to say
        for branch in still:
            self.leave(branch)
            self.late.add(branch.registry)
            branch.let_go = True
            branch.end(TimedOut(f"{branch.registry} took no bytes of {self.d.digest} while others did"))

    def _lost(self, error: SyncerError) -> SyncerError:
        return Unreachable(f"{self.source.place} does not give back {self.d.digest}: {error}", host=error.host)

    def _took(self, registry: str) -> None:
        self._taken[registry] += 1
        self.poke()

    def _not_here(self, awaited: set[str]) -> set[str]:
        return awaited - {branch.registry for branch in self.branches}

    def _end(self, error: SyncerError | None) -> None:
        self.error = error
        for branch in self.branches:
            branch.end(error)

    async def _change(self) -> None:
        self._moved.clear()
        await self._moved.wait()
