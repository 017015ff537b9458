"""State that ends with its process: for tests, for the sandbox, and where no directory can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.state.records import Seen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.platform import Platform
    from syncer.oci.reference import Reference
    from syncer.state.records import Confirmed


class MemoryState:
    """A State in dicts."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self._confirmed: dict[Reference, Confirmed] = {}
        self._seen: dict[Reference, dict[Digest, Seen]] = {}
        self._rewritten: dict[tuple[Digest, frozenset[Platform]], Descriptor] = {}

    def confirmed(self, target: Reference) -> Confirmed | None:
        """What was confirmed last in this process."""
        return self._confirmed.get(target)

    def tags(self, repository: Reference) -> int:
        """How many were confirmed in this process."""
        return sum(target.name == repository.name for target in self._confirmed)

    def confirm(self, target: Reference, confirmed: Confirmed) -> None:
        """Keep it until the process ends."""
        self._confirmed[target] = confirmed

    def seen(self, source: Reference) -> Sequence[Seen]:
        """What was seen in this process."""
        return tuple(reversed(self._seen.get(source, {}).values()))

    def saw(self, source: Reference, digest: Digest, at: datetime) -> None:
        """Keep it until the process ends."""
        seen = self._seen.setdefault(source, {})
        seen.pop(digest, None)
        seen[digest] = Seen(digest, at)

    def rewritten(self, source: Digest, only: tuple[Platform, ...]) -> Descriptor | None:
        """What was remembered for the same set of platforms."""
        return self._rewritten.get((source, frozenset(only)))

    def remember_rewritten(self, source: Digest, only: tuple[Platform, ...], landing: Descriptor) -> None:
        """Keep it until the process ends."""
        self._rewritten[source, frozenset(only)] = landing
