"""Two sources that would write one target tag, or an image that would be written onto itself.

Found here for tags that the file names. What a glob selects is known only while planning, which looks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.config import tree
from syncer.config.problems import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.config.check import Reading
    from syncer.config.rules import Placed
    from syncer.config.tree import Spot
    from syncer.oci.names import Tag
    from syncer.settings.rules import Rule
    from syncer.settings.targets import TargetSettings


def check_collisions(reading: Reading, placed: list[Placed], targets: Mapping[str, TargetSettings]) -> None:
    """Note every rule that writes what an earlier one, or its own source, already is."""
    first: dict[tuple[str, str, Tag], Spot] = {}
    for each in placed:
        at = tree.find(each.node, ["source"]).at
        for target in (targets[name] for name in each.rule.targets if name in targets):
            repository = repository_at(target, each.rule)
            if _onto_itself(each.rule, target, repository):
                reading.problems.add("E110", f"{target.registry}/{repository} would be written onto itself", at)
            for tag in _written_tags(each.rule):
                before = first.setdefault((target.registry, repository, tag), at)
                if before != at:
                    message = f"two sources write {repository}:{tag} (first on line {before.line})"
                    reading.problems.add("E110", message, at)
        _check_places(reading, each, targets)


def repository_at(target: TargetSettings, rule: Rule) -> str:
    """The repository that a rule writes at a target, with the target's prefix."""
    return f"{target.prefix}/{rule.repository}" if target.prefix else str(rule.repository)


def _written_tags(rule: Rule) -> tuple[Tag, ...]:
    """The tags that a rule writes, as far as the file names them."""
    return (rule.rename,) if rule.rename else rule.tags.exact


def _onto_itself(rule: Rule, target: TargetSettings, repository: str) -> bool:
    same = (rule.source.registry, str(rule.source.repository)) == (target.registry, repository)
    return same and rule.rename is None


def _check_places(reading: Reading, placed: Placed, targets: Mapping[str, TargetSettings]) -> None:
    """Two targets of one rule must not be one place under two names."""
    names: dict[tuple[str, str], str] = {}
    for target in (targets[name] for name in placed.rule.targets if name in targets):
        other = names.setdefault((target.registry, target.prefix), target.name)
        if other != target.name:
            message = f"the targets {quoted(other)} and {quoted(target.name)} of this image are one place"
            reading.problems.add("E110", message, tree.find(placed.node, ["source"]).at)
