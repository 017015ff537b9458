"""What all deliveries of a run have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.transfer.holdings import Holdings, Leaders, Locks, Prepared
from syncer.transfer.turns import Turns

if TYPE_CHECKING:
    from syncer.attempts import Attempts
    from syncer.oci.names import RepositoryName
    from syncer.transfer.feed import Feed
    from syncer.transfer.tuning import Tuning


class Shared:
    """Who has what, who brings what, and who reads it."""

    def __init__(self, attempts: Attempts, feed: Feed, tuning: Tuning) -> None:
        self.attempts = attempts
        self.feed = feed
        self.tuning = tuning
        self.holdings = Holdings()
        self.leaders = Leaders()
        self.locks = Locks()
        self.prepared = Prepared(attempts)
        self.mountless: set[str] = set()  # registries that refused to mount a blob from where it is committed
        self.occupied: set[tuple[str, RepositoryName]] = set()  # (target, repository) that hold images already
        self._turns: dict[str, Turns] = {}

    def turns(self, registry: str) -> Turns:
        """What bounds the blobs on their way to one registry; a slow one so takes no slot of another."""
        return self._turns.setdefault(registry, Turns(self.tuning.blobs, self.leaders.urgent))
