"""Which tags a rule takes: pure functions over names."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.oci.names import Tag
    from syncer.settings.rules import TagChoice


class TagSelector(Protocol):
    """Chooses tags of a repository."""

    @property
    def listing(self) -> bool:
        """Whether it must see the repository's list of tags."""

    def select(self, tags: Sequence[Tag]) -> list[Tag]:
        """Those that it takes, each once."""


@dataclass(frozen=True, slots=True)
class Exact:
    """Tags by name, listed or not: one that does not exist must be missed aloud, not silently."""

    tags: tuple[Tag, ...]
    listing: bool = False

    def select(self, tags: Sequence[Tag]) -> list[Tag]:  # noqa: ARG002 -- it takes what it was told
        """All of its own."""
        return list(dict.fromkeys(self.tags))


@dataclass(frozen=True, slots=True)
class Glob:
    """Listed tags that match a pattern: `*`, `?`, `[abc]`, `[!abc]`, case counts."""

    pattern: str
    listing: bool = True

    def select(self, tags: Sequence[Tag]) -> list[Tag]:
        """Those that match, in the order of the list."""
        return [tag for tag in dict.fromkeys(tags) if fnmatchcase(str(tag), self.pattern)]


def selectors(choice: TagChoice) -> list[TagSelector]:
    """The selectors of a rule's `tags`."""
    exact: list[TagSelector] = [Exact(choice.exact)] if choice.exact else []
    return exact + [Glob(pattern) for pattern in choice.globs]


def select(choosers: Sequence[TagSelector], listed: Sequence[Tag]) -> list[Tag]:
    """What any of `choosers` takes, each tag once."""
    return list(dict.fromkeys(tag for chooser in choosers for tag in chooser.select(listed)))
