"""The rules of mirrors.yaml: from where, which tags, to where."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from syncer.settings.registries import default_registry
from syncer.settings.terms import Terms
from syncer.settings.timeouts import Timeouts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.oci.names import RepositoryName, Tag
    from syncer.oci.platform import Platform
    from syncer.oci.reference import Reference
    from syncer.settings.registries import RegistrySettings
    from syncer.settings.targets import TargetSettings


class Rewrite(enum.Enum):
    """Whether an index may be cut down where a target takes no sparse one."""

    AUTO = "auto"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Platforms:
    """The platforms that a rule asks for."""

    only: tuple[Platform, ...]
    rewrite: Rewrite = Rewrite.AUTO


@dataclass(frozen=True, slots=True)
class TagChoice:
    """Which tags: some by name, some by glob over the origin's list."""

    exact: tuple[Tag, ...] = ()
    globs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `images`."""

    source: Reference  # repository only, or with its one tag or digest
    tags: TagChoice  # empty for a pinned digest
    repository: RepositoryName  # at every target: the template, filled in
    rename: Tag | None  # the target tag, where it is not the source's own
    targets: tuple[str, ...]
    platforms: Platforms | None = None  # None: all
    referrers: bool = False
    terms: Terms = field(default_factory=Terms)
    line: int = 0  # where the rule stands in the file


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration, checked."""

    path: str
    sha256: str  # of the file's bytes: a plan belongs to them
    registries: Mapping[str, RegistrySettings]  # those the file mentions, by name
    targets: Mapping[str, TargetSettings]
    rules: tuple[Rule, ...]
    timeouts: Timeouts = field(default_factory=Timeouts)  # of hosts that the file says nothing of

    def registry(self, name: str) -> RegistrySettings:
        """What the file says about the registry `name`, or what holds where it says nothing."""
        return self.registries.get(name) or default_registry(name, self.timeouts)

    def on_terms(self, **said: Any) -> Settings:
        """The same with these fields of `Terms` for every rule, whatever the file says."""
        rules = tuple(replace(rule, terms=replace(rule.terms, **said)) for rule in self.rules)
        return replace(self, rules=rules)
