"""What this run knows to be where, and who is busy bringing it there."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from syncer.errors import SyncerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable, Iterable

    from syncer.attempts import Attempts
    from syncer.content.places import Place, Registry
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.names import RepositoryName


class Holdings:
    """Blobs and manifests that were seen, missed or put at a place in this run: nobody asks about them again."""

    def __init__(self) -> None:
        self._committed: dict[tuple[str, Digest], dict[Place, bool]] = {}
        self._missed: set[tuple[Place, Digest]] = set()

    def has(self, place: Place, digest: Digest) -> bool:
        """Whether it is known to be there."""
        return place in self._committed.get((place.registry, digest), ())

    def unknown(self, place: Place, descriptors: Iterable[Descriptor]) -> list[Descriptor]:
        """Those of which nobody knows yet whether they are there."""
        return [d for d in descriptors if not self.has(place, d.digest) and (place, d.digest) not in self._missed]

    def add(self, place: Place, digests: Iterable[Digest], *, committed: bool) -> None:
        """They are there; `committed`: and a manifest there refers to them."""
        for digest in digests:
            places = self._committed.setdefault((place.registry, digest), {})
            places[place] = committed or places.get(place, False)
            self._missed.discard((place, digest))

    def miss(self, place: Place, digests: Iterable[Digest]) -> None:
        """They are not there, whatever was thought before."""
        for digest in digests:
            self._committed.get((place.registry, digest), {}).pop(place, None)
            self._missed.add((place, digest))

    def elsewhere(self, registry: str, digest: Digest, *, committed: bool) -> Place | None:
        """Another place of the same registry that has it, one where it is committed if there is one."""
        places = self._committed.get((registry, digest), {})
        found = max(places, key=lambda place: places[place], default=None)
        return found if found is not None and (places[found] or not committed) else None


class Locks:
    """One lock per key: for what must not be done twice at once. Who fails leaves the key free for the next."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def held(self, key: Hashable) -> AsyncIterator[None]:
        """Be the only one with `key`."""
        lock = self._locks.get(key) or asyncio.Lock()
        self._locks[key] = lock
        async with lock:
            yield

    @asynccontextmanager
    async def all_held(self, keys: Iterable[Hashable]) -> AsyncIterator[None]:
        """Be the only one with all `keys`; taken in one order by everybody, so that no circle can close."""
        async with AsyncExitStack() as stack:
            for key in sorted(set(keys), key=str):
                await stack.enter_async_context(self.held(key))
            yield


class Leaders:
    """Which delivery sent a blob to a registry in this run, and when it will have ended."""

    def __init__(self) -> None:
        self._numbers = count()
        self._leads: dict[tuple[str, Digest], tuple[int, asyncio.Event]] = {}
        self._awaited: set[int] = set()

    def next_number(self) -> int:
        """The place of one more delivery in the order in which they began."""
        return next(self._numbers)

    def lead(self, key: tuple[str, Digest], number: int, ended: asyncio.Event) -> None:
        """The delivery `number` has sent it, and commits it before `ended`."""
        self._leads[key] = (number, ended)

    def earlier(self, key: tuple[str, Digest], number: int) -> asyncio.Event | None:
        """The end of the delivery that sent it, to wait for, if that one began before `number` and has not ended."""
        led_by, ended = self._leads.get(key, (number, None))
        if ended is None or led_by >= number or ended.is_set():
            return None
        self._awaited.add(led_by)
        return ended

    def urgent(self, number: int) -> bool:
        """Whether others wait for that delivery."""
        return number in self._awaited


class Prepared:
    """Repositories that were made ready to be pushed to: each once per run, also where that failed."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        self._locks = Locks()
        self._answers: dict[tuple[str, RepositoryName], bool | SyncerError] = {}

    async def created(self, registry: Registry, name: RepositoryName) -> bool:
        """Make `name` ready; whether it was created for that, so that nothing can be in it yet."""
        key = (registry.identity, name)
        async with self._locks.held(key):
            if key not in self._answers:
                self._answers[key] = await self._asked(registry, name)
        answer = self._answers[key]
        if isinstance(answer, SyncerError):
            raise answer
        return answer

    async def _asked(self, registry: Registry, name: RepositoryName) -> bool | SyncerError:
        try:
            return await self._attempts.step(lambda: registry.prepare(name))
        except SyncerError as error:
            return error
