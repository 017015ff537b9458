"""What must not be done without being told: overwrite what others wrote, go back to what was replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.errors import NotOurs, RolledBack
from syncer.settings.registries import Way
from syncer.settings.terms import Overwrite, Rollback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from syncer.oci.digest import Digest
    from syncer.plan.model import Copy, Destination
    from syncer.settings.terms import Terms
    from syncer.state.records import State


class Guard:
    """Judges copies by what earlier runs have seen and written."""

    def __init__(self, state: State) -> None:
        self._state = state

    def rolled_back(self, copy: Copy, terms: Terms, now: datetime) -> RolledBack | None:
        """Why not to believe that the source means again what it meant before; else it is remembered."""
        if copy.source.tag is None:
            return None
        seen = self._state.seen(copy.source)
        back = copy.root.digest in [each.digest for each in seen[1:]]
        if back and not _may_go_back(copy, terms):
            return RolledBack(
                f"{copy.source} is {copy.root.digest} again, by {copy.resolved_by}; "
                f"since {seen[0].at:%Y-%m-%d %H:%M} UTC it was {seen[0].digest}"
            )
        if not seen or seen[0].digest != copy.root.digest:
            self._state.saw(copy.source, copy.root.digest, now)
        return None

    def not_ours(self, copy: Copy, terms: Terms, to: Destination) -> NotOurs | None:
        """Why not to move the tag at `to`: what it means was not put there by syncer, nor ever seen at the source."""
        if terms.overwrite is Overwrite.ANY or to.before is None or to.before in self._ours(copy, to):
            return None
        return NotOurs(
            f"{to.reference} is {to.before}, which syncer is not known to have put there; it would become "
            f"{copy.landing.digest}",
            host=to.reference.registry,
        )

    def _ours(self, copy: Copy, to: Destination) -> Iterator[Digest]:
        confirmed = self._state.confirmed(to.reference)
        if confirmed is not None:
            yield confirmed.digest
        yield copy.landing.digest
        yield copy.root.digest
        for seen in self._state.seen(copy.source):
            yield seen.digest
            landed = self._state.rewritten(seen.digest, copy.only) if copy.only else None
            if landed is not None:
                yield landed.digest


def _may_go_back(copy: Copy, terms: Terms) -> bool:
    if terms.rollback is Rollback.ORIGIN:
        return copy.resolved_by == Way.ORIGIN.value
    return terms.rollback is Rollback.ALLOW
