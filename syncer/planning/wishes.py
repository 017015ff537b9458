"""What the rules ask for, image by image: pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.errors import Failure
from syncer.oci.names import RepositoryName
from syncer.oci.reference import Reference
from syncer.plan.model import Destination, Lost
from syncer.settings.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncer.oci.names import Tag
    from syncer.oci.platform import Platform
    from syncer.selection.images import Choice
    from syncer.settings.rules import Platforms, Rule, Settings
    from syncer.settings.targets import TargetSettings


@dataclass(frozen=True, slots=True)
class Wanted:
    """One image as its rule wants it: what is the same here is read and copied once."""

    source: Reference  # with its tag or its digest
    platforms: Platforms | None = None
    referrers: bool = False
    terms: Terms = field(default_factory=Terms)

    @property
    def only(self) -> tuple[Platform, ...]:
        """The platforms to keep; empty for all."""
        return self.platforms.only if self.platforms else ()


@dataclass(slots=True)
class Wishes:
    """Every image that is wanted, with its destinations, and those that cannot be."""

    images: dict[Wanted, list[Destination]] = field(default_factory=dict)
    lost: list[Lost] = field(default_factory=list)
    _writers: dict[Reference, Wanted] = field(default_factory=dict)

    def add(self, wanted: Wanted, destinations: Iterable[Destination]) -> None:
        """Want it there as well; where another image is wanted there already, that one stays."""
        for to in destinations:
            first = self._writers.setdefault(to.reference, wanted)
            if first != wanted:
                self.lost.append(_second(wanted, first, to))
            elif to not in self.images.setdefault(wanted, []):
                self.images[wanted].append(to)


def sources(rule: Rule, tags: Iterable[Tag]) -> list[Reference]:
    """The images that `rule` names, `tags` being what it selects."""
    if rule.source.digest is not None:
        return [rule.source]
    return [rule.source.with_tag(tag) for tag in tags]


def destinations(rule: Rule, source: Reference, settings: Settings, choice: Choice) -> list[Destination]:
    """Where `rule` wants `source`, without what --only and --skip leave out."""
    tag = rule.rename or source.tag
    # A pinned image without any tag is wanted by its digest.
    wanted = [(name, target_name(settings.targets[name], rule.repository).with_tag(tag)) for name in rule.targets]
    named = [(name, ref if tag else ref.with_digest(source.digest)) for name, ref in wanted]
    return [Destination(name, reference) for name, reference in named if choice.takes(source, reference)]


def target_name(target: TargetSettings, repository: RepositoryName) -> Reference:
    """The repository of that name at `target`, below the target's prefix."""
    prefix = target.prefix.strip("/")
    return Reference(target.registry, RepositoryName(f"{prefix}/{repository}") if prefix else repository)


def _second(wanted: Wanted, first: Wanted, to: Destination) -> Lost:
    failure = Failure(
        "E110",
        f"{to.reference} is wanted from {first.source} and, differently, from {wanted.source}; only the first is done",
        "give one of the two rules another `target`, or narrow its `tags`",
    )
    return Lost(wanted.source, (to,), failure, blocked=True)
