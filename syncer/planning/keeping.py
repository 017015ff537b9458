"""When a tag may stay as it is although nobody can say what it means (law 2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from syncer.errors import Failure, MirrorError, NetworkError, NotFound, SyncerError
from syncer.plan.model import Skip, Why

if TYPE_CHECKING:
    from datetime import datetime

    from syncer.oci.digest import Digest
    from syncer.plan.model import Destination
    from syncer.planning.wishes import Wanted
    from syncer.settings.rules import Settings
    from syncer.state.records import Confirmed, State


def unasked(error: SyncerError) -> bool:
    """Whether nobody could be asked, as opposed to somebody who knows having said no."""
    return isinstance(error, NetworkError | MirrorError) and not isinstance(error, NotFound)


class Keeper:
    """Finds tags that were confirmed recently enough to stand in for a source that does not answer."""

    def __init__(self, settings: Settings, state: State) -> None:
        self._settings = settings
        self._state = state

    def kept(self, wanted: Wanted, to: Destination, error: SyncerError, now: datetime) -> Skip | None:
        """A skip with a warning, if this very digest is known to be what the source meant not long ago."""
        confirmed = self._state.confirmed(to.reference)
        if not unasked(error) or confirmed is None or to.before is None:
            return None
        if confirmed.source != wanted.source or self._meant(wanted, confirmed) != to.before:
            return None
        if now - confirmed.at > self._keep_for(wanted):
            return None
        return Skip(wanted.source, to, Why.KEPT, to.before, None, "kept", warning=Failure.of(error))

    def _meant(self, wanted: Wanted, confirmed: Confirmed) -> Digest:
        """What the confirmed source comes to with the platforms that are wanted now."""
        only = wanted.only
        landed = self._state.rewritten(confirmed.source_digest, only) if only else None
        return landed.digest if landed else confirmed.source_digest

    def _keep_for(self, wanted: Wanted) -> timedelta:
        return timedelta(seconds=self._settings.registry(wanted.source.registry).keep_for)
