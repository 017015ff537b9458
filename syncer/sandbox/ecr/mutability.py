"""Tags that must not move: four modes, two of them with wildcard exclusions."""

from __future__ import annotations

from fnmatch import fnmatchcase

from syncer.sandbox.ecr.failures import Failure, invalid

WITH_EXCLUSION = {"IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"}


class TagMutability:
    """The mode of a repository and the filters that except tags from it."""

    def __init__(self, mode: str = "MUTABLE", filters: list[dict[str, str]] | None = None) -> None:
        if mode in WITH_EXCLUSION and not filters:
            raise invalid("imageTagMutabilityExclusionFilters", f"{mode} needs exclusion filters")
        if filters and mode not in WITH_EXCLUSION:
            raise invalid("imageTagMutabilityExclusionFilters", f"{mode} takes no exclusion filters")
        self.mode = mode
        self.filters = filters or []

    def is_immutable(self, tag: str) -> bool:
        """Whether `tag`, once put, stays where it is."""
        excluded = any(fnmatchcase(tag, one["filter"]) for one in self.filters)
        return self.mode.startswith("IMMUTABLE") != excluded

    def answer(self) -> dict[str, object]:
        """The members that say this in an API answer."""
        members: dict[str, object] = {"imageTagMutability": self.mode}
        return members | {"imageTagMutabilityExclusionFilters": self.filters} if self.filters else members


def immutable(tag: str, repository: str, *, newer_text: bool) -> Failure:
    """The tag exists and stays; ECR has two texts for it, of different age."""
    what = "tag" if newer_text else "repository"
    return Failure(
        "ImageTagAlreadyExistsException",
        f"The image tag '{tag}' already exists in the '{repository}' repository"
        f" and cannot be overwritten because the {what} is immutable.",
    )
