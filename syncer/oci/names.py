"""Names as a registry's API takes them: repositories and tags; and where a registry is, from its own module."""

from __future__ import annotations

import re
from dataclasses import dataclass

from syncer.oci.origin import Origin
from syncer.oci.shown import shown

__all__ = ["Origin", "RepositoryName", "Tag"]

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LONGEST_REPOSITORY = 255  # distribution's limit for the path without the registry


@dataclass(frozen=True, slots=True, order=True)
class RepositoryName:
    """A repository's path within its registry, such as `library/nginx`.

    Spec: distribution-spec 1.1, "Pulling manifests", `<name>`.
    """

    value: str

    def __post_init__(self) -> None:
        if not self.value:
            raise ValueError("a repository name is missing")
        if len(self.value) > _LONGEST_REPOSITORY:
            raise ValueError(f"repository name {shown(self.value)} is longer than {_LONGEST_REPOSITORY} characters")
        if not _REPOSITORY.fullmatch(self.value):
            raise ValueError(f"{shown(self.value)} is no repository name: {_fault(self.value)}")

    @classmethod
    def parse(cls, text: str) -> RepositoryName:
        """The name that `text` spells; ValueError for anything else."""
        return cls(text)

    @property
    def name(self) -> str:
        """The last component: `nginx` of `library/nginx`."""
        return self.value.rpartition("/")[2]

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """A tag: up to 128 letters, digits, `_`, `.`, `-`, the first of them a letter, a digit or `_`."""

    value: str

    def __post_init__(self) -> None:
        if not _TAG.fullmatch(self.value):
            raise ValueError(
                f"{shown(self.value)} is no tag: up to 128 letters, digits, '_', '.' and '-' are allowed, "
                "and the first must not be '.' or '-'"
            )

    @classmethod
    def parse(cls, text: str) -> Tag:
        """The tag that `text` spells; ValueError for anything else."""
        return cls(text)

    def __str__(self) -> str:
        return self.value


def _fault(name: str) -> str:
    if name.lower() != name and _REPOSITORY.fullmatch(name.lower()):
        return "it must be lowercase"
    return "its parts are lowercase letters and digits, with single '.', '_', '__' or '-' between them, joined by '/'"
