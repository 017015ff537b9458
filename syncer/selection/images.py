"""Which images of a configuration a command is about: --only and --skip."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncer.oci.reference import Reference


@dataclass(frozen=True, slots=True)
class Choice:
    """What a command was told to look at; nothing said is everything."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    allow_empty: bool = False  # selecting nothing is what was meant

    def takes(self, source: Reference, target: Reference) -> bool:
        """Whether this image is meant: a glob over the source (in full or as Docker shortens it) or the target."""
        names = (str(source), source.familiar, str(target))
        return (not self.only or _any(self.only, names)) and not _any(self.skip, names)


def _any(patterns: tuple[str, ...], names: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)
