"""Two sources that would write one target tag, or an image that would be written onto itself.

Found here for tags that the file names. What a glob selects is known only while planning, which looks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.config import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncer.config.check import Reading
    from syncer.config.rules import Placed
    from syncer.oci.names import Tag
    from syncer.settings.rules import Rule
    from syncer.settings.targets import TargetSettings


def check_collisions(reading: Reading, placed: list[Placed], targets: Mapping[str, TargetSettings]) -> None:
    """Note every rule that writes what an earlier one, or its own source, already is."""
    first: dict[tuple[str, str, Tag], int] = {}
    for each in placed:
        at = tree.find(each.node, ["source"]).at
        for target in (targets[name] for name in each.rule.targets if name in targets):
            repository = repository_at(target, each.rule)
            if _onto_itself(each.rule, target, repository):
                message = f"{target.registry}/{repository} would be written onto itself"
                reading.problems.add("E110", message, at)
            for tag in written_tags(each.rule):
                line = first.setdefault((target.registry, repository, tag), at.line)
                if line != at.line or _twice(each.rule, target, targets):
                    message = f"two sources write {repository}:{tag} (first on line {line})"
                    reading.problems.add("E110", message, at)


def repository_at(target: TargetSettings, rule: Rule) -> str:
    """The repository that a rule writes at a target, with the target's prefix."""
    return f"{target.prefix}/{rule.repository}" if target.prefix else str(rule.repository)


def written_tags(rule: Rule) -> Iterator[Tag]:
    """The tags that a rule writes, as far as the file names them."""
    yield from (rule.rename,) if rule.rename else rule.tags.exact


def _onto_itself(rule: Rule, target: TargetSettings, repository: str) -> bool:
    same = (rule.source.registry, str(rule.source.repository)) == (target.registry, repository)
    return same and (rule.rename is None)


def _twice(rule: Rule, target: TargetSettings, targets: Mapping[str, TargetSettings]) -> bool:
    """Whether an earlier target of the same rule is the same place under another name."""
    names = [name for name in rule.targets if name in targets]
    earlier = names[: names.index(target.name)]
    return any((targets[n].registry, targets[n].prefix) == (target.registry, target.prefix) for n in earlier)
