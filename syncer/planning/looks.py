"""What planning reads, each thing once: lists of tags, what tags mean at the source, what they mean at the targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from syncer.errors import NotFound, RepositoryMissing, SyncerError
from syncer.transfer.holdings import Locks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping

    from syncer.attempts import Attempts
    from syncer.content.places import Places, Registry, Resolution, Source
    from syncer.oci.digest import Digest
    from syncer.oci.names import RepositoryName, Tag
    from syncer.oci.reference import Reference
    from syncer.plan.model import Destination
    from syncer.settings.targets import TargetSettings

T = TypeVar("T")


class Once:
    """Answers that are asked for once, whoever wants them; an error is an answer as well."""

    def __init__(self) -> None:
        self._locks = Locks()
        self._answers: dict[Hashable, object] = {}

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer for `key`, or the error that was met when it was asked for."""
        async with self._locks.held(key):
            if key not in self._answers:
                try:
                    self._answers[key] = await ask()
                except SyncerError as error:
                    self._answers[key] = error
        answer = self._answers[key]
        if isinstance(answer, SyncerError):
            raise answer
        return answer  # type: ignore[return-value]  # what `ask` gave for this key


class Looks:
    """Reads at sources and targets."""

    def __init__(self, places: Places, attempts: Attempts, targets: Mapping[str, TargetSettings]) -> None:
        self._places = places
        self._attempts = attempts
        self._targets = targets
        self._once = Once()
        self._wanted: dict[tuple[str, RepositoryName], dict[Tag, None]] = {}
        self.creates: dict[tuple[str, str], None] = {}  # (target, repository) that do not exist yet

    def source(self, reference: Reference) -> Source:
        """Where `reference` is read from."""
        return self._places.source(reference)

    def registry(self, target: str) -> Registry:
        """What mirrors.yaml calls `target`."""
        return self._places.registry(target)

    async def tags(self, repository: Reference) -> list[Tag]:
        """Every tag of a source."""
        ask = self._places.source(repository).tags
        return await self._once.get(repository.name, lambda: self._attempts.step(ask))

    async def resolve(self, reference: Reference) -> Resolution:
        """What the tag or digest of `reference` means."""
        source, name = self._places.source(reference), reference.digest or reference.tag
        if name is None:
            raise ValueError(f"{reference} names no image")
        return await self._attempts.step(lambda: source.resolve(name))

    def expect(self, destinations: Iterable[Destination]) -> None:
        """All of these will be asked for: what is in one repository is asked for together."""
        for to in destinations:
            if to.reference.tag is not None:
                self._wanted.setdefault((to.target, to.reference.repository), {})[to.reference.tag] = None

    async def current(self, to: Destination) -> Digest | None:
        """What the tag means at the target now; None where it, or its repository, does not exist."""
        key = (to.target, to.reference.repository)
        if to.reference.tag is None:
            return None
        found = await self._once.get(key, lambda: self._current(*key))
        return found.get(to.reference.tag)

    async def _current(self, target: str, repository: RepositoryName) -> Mapping[Tag, Digest]:
        tags = list(self._wanted[target, repository])
        try:
            at = self._places.registry(target).target(repository)
            return await self._attempts.step(lambda: at.current(tags))
        except (NotFound, RepositoryMissing):
            if not self._targets[target].repositories.create:
                raise
            self.creates[target, str(repository)] = None
            return {}
