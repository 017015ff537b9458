"""Who reads what once: the content of blobs for targets, from the shelf, a tee that others share, disk, or afresh."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from syncer.clock import SystemClock
from syncer.errors import CorruptContent, Unreachable
from syncer.report.events import Noted
from syncer.transfer.held import Held
from syncer.transfer.ranges import Means
from syncer.transfer.reading import Reading
from syncer.transfer.shelf import Shelf, Windows
from syncer.transfer.spooling import Spooling
from syncer.transfer.tee import Tee

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Iterable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from syncer.attempts import Attempts
    from syncer.content.places import Source
    from syncer.errors import SyncerError
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.reference import Reference
    from syncer.report.events import Observer
    from syncer.transfer.held import Beginning
    from syncer.transfer.tuning import Tuning


class Fed:
    """A blob as Content for one target: every time it is opened, its bytes come from wherever they are cheapest."""

    def __init__(self, feed: Feed, d: Descriptor, origin: tuple[Source, Reference], registry: str) -> None:
        self._feed = feed
        self.d = d
        self.origin = origin
        self.registry = registry
        self.hosts: set[str] = set()  # who sent the bytes, the last time
        self.error: SyncerError | None = None  # why the bytes could not be had, the last time
        self.given_up = False  # the source failed for good: nothing is gained by delivering again
        self.let_go = False  # others would have waited for its target: a read of its own follows

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.d.size

    @property
    def early(self) -> bool:
        """Whether its read ends without waiting for the target: else it would hold a slot that others need."""
        return self.d.size < self._feed.window

    def open(self) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes, from the first."""
        return self._feed.opened(self)


class Feed:
    """All reads of a run. Its tasks belong to `readers`."""

    def __init__(
        self,
        attempts: Attempts,
        observe: Observer,
        tuning: Tuning,
        readers: asyncio.TaskGroup,
        spooling: Spooling | None = None,
    ) -> None:
        self._attempts = attempts
        self._observe = observe
        self._tuning = tuning
        self._readers = readers
        self._shelf = Shelf(tuning.shelf)
        self._windows = Windows(tuning.windows)
        self._held = Held(self._windows)
        self._means = Means(self._windows, readers, attempts.clock, tuning.spreading)
        self._spooling = spooling or Spooling(None, SystemClock(), tuning)
        self._gathering: dict[Digest, Tee] = {}
        self._expected: defaultdict[Digest, Counter[str]] = defaultdict(Counter)
        self._late: set[str] = set()  # registries that reads do not wait for, until they come in time again
        self._taken: Counter[str] = Counter()  # chunks that each registry took
        self._own: dict[Digest, Source] = {}  # targets that hold a blob in a committed image
        self._passed: dict[Digest, int] = {}  # blobs that were read, and how far
        self._given_up: set[Digest] = set()  # blobs that some target needs and did not get
        self.read_again = 0  # bytes that sources were asked for more than once
        self._mixed: dict[Digest, frozenset[str]] = {}  # hosts of which one lied about a blob, but the first

    @property
    def window(self) -> int:
        """Bytes that a target may leave untaken while the source is read on."""
        return self._tuning.window

    def expect(self, blobs: Iterable[Digest], registry: str) -> None:
        """A target at `registry` may need these blobs: a read of one waits a moment for it."""
        for digest in blobs:
            self._expected[digest][registry] += 1

    def settled(self, digest: Digest, registry: str, *, landed: bool) -> None:
        """That target has the blob, if it `landed`, or will not ask for it any more."""
        if not landed:
            self._given_up.add(digest)
        expected = self._expected[digest]
        expected[registry] -= 1
        if expected[registry] <= 0:
            del expected[registry]
        if not expected:
            del self._expected[digest]
            self._tidy(digest)
        if digest in self._gathering:
            self._gathering[digest].poke()

    def own(self, d: Descriptor, target: Source) -> None:
        """`target` holds `d` in an image that is complete: who needs it again reads it there, not at its source."""
        if d.size > self._tuning.shelved:
            self._own[d.digest] = target

    def content(self, d: Descriptor, origin: tuple[Source, Reference], registry: str) -> Fed:
        """The blob `d`, for one target at `registry`."""
        return Fed(self, d, origin, registry)

    @asynccontextmanager
    async def opened(self, fed: Fed) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes for `fed`; what goes wrong with them is left in `fed.error`."""
        fed.error = None
        shelved = self._shelf.get(fed.d.digest)
        if shelved is not None:
            fed.hosts = set(shelved.hosts)
            yield _once(shelved.data)
            return
        tee = self._gathering.get(fed.d.digest) or self._begun(fed)
        branch = tee.join(fed.registry)
        try:
            yield branch.chunks()
        finally:
            fed.error = branch.error
            fed.hosts = set() if fed.error else fed.hosts.union(tee.reading.hosts)
            fed.let_go = branch.let_go
            fed.given_up = fed.error is not None and fed.error is tee.error and not tee.worth_repeating
            tee.leave(branch)
            branch.end(Unreachable(f"the request that {fed.d.digest} was for is over", host=fed.registry))

    def _begun(self, fed: Fed) -> Tee:
        """A new tee that gathers, and the task that will read for it."""
        digest = fed.d.digest
        own = self._own.get(digest)
        source = own or fed.origin[0]
        held = None if self._spooling.has(digest) else self._held.beginning(digest)
        beginning = held or self._spooling.beginning(fed.d)
        avoid = self._mixed.get(digest, frozenset())
        reading = Reading(source, fed.d, self._attempts, avoid, beginning, means=self._means)
        tee = Tee(fed.d, (source, fed.origin[1]), reading, self._tuning, self._taken, borrowed=own is not None)
        self._gathering[digest] = tee
        self._readers.create_task(self._read(tee), name=f"read {digest.short}")
        return tee

    async def _read(self, tee: Tee) -> None:
        digest = tee.d.digest

        def awaited() -> set[str]:
            return set(self._expected.get(digest, ()))

        await tee.gathered(lambda: awaited() - self._late)
        del self._gathering[digest]
        self._late = (self._late | tee.late) - {branch.registry for branch in tee.branches}
        if tee.branches:
            again = digest in self._passed or bool(awaited() - {branch.registry for branch in tee.branches})
            try:
                with self._spooling.kept(tee.d, again=again) as keeper, self._holding(tee.d) as tee.held:
                    await tee.run(self._windows, self._shelf, self._observe, keeper)
            finally:
                self._count(tee)
        self._late |= tee.late
        self._blame(tee)

    def _holding(self, d: Descriptor) -> AbstractContextManager[Beginning | None]:
        """Where the read of a blob that somebody may try to deliver again puts its bytes."""
        return self._held.growing(d) if d.digest in self._expected else nullcontext()

    def _count(self, tee: Tee) -> None:
        if not tee.borrowed:
            before = self._passed.get(tee.d.digest, 0)
            self.read_again += max(0, min(before, tee.passed) - tee.reading.kept)
            self._passed[tee.d.digest] = max(before, tee.passed)

    def _blame(self, tee: Tee) -> None:
        """Keep a liar from being asked again; where two hosts sent parts of the whole, ask only one the next time."""
        error = tee.error
        if error is not None or self._shelf.has(tee.d.digest):
            self._held.drop(tee.d.digest)
        if error is not None and tee.borrowed:
            self._own.pop(tee.d.digest, None)
        elif isinstance(error, CorruptContent):
            self._spooling.drop(tee.d.digest)
            self._observe(Noted(str(error)))
            if error.host is not None:
                tee.source.blame(error.host, error)
            else:
                self._mixed[tee.d.digest] = frozenset(tee.reading.hosts[1:])

    def _tidy(self, digest: Digest) -> None:
        """Keep only what somebody still needs; on disk, in the next run too."""
        self._held.drop(digest)
        if digest not in self._given_up:
            self._spooling.drop(digest)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data
