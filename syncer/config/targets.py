"""`targets:` → TargetSettings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.config import models, tree, values
from syncer.settings.ecr_hosts import almost, parse_host
from syncer.settings.targets import (
    Encryption,
    EncryptionType,
    Lifecycle,
    RepositorySettings,
    TagMutability,
    TargetSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncer.config.check import Reading
    from syncer.config.tree import Entry, Node

_ECR_ONLY = ("profile", "role_arn", "external_id", "repositories")
_ELSEWHERE_ONLY = ("sparse_indexes",)
_WITH_EXCLUSION = (TagMutability.IMMUTABLE_WITH_EXCLUSION, TagMutability.MUTABLE_WITH_EXCLUSION)


def targets(reading: Reading, root: Node) -> dict[str, TargetSettings]:
    """The settings of every target, by name."""
    made = {}
    for name, entry in tree.entries(root, "targets").items():
        settings = _target(reading, name, entry)
        if settings:
            made[name] = settings
    return made


def _target(reading: Reading, name: str, entry: Entry) -> TargetSettings | None:
    try:
        values.check_target_name(name)
    except ValueError as exc:
        reading.problems.add("E105", str(exc), entry.key_at)
    node = entry.node
    model = reading.checked(models.Target, node)
    if model is None:
        return None
    _check_host(reading, model.registry.host, node)
    if model.external_id and not model.role_arn:
        message = "`external_id` belongs to a `role_arn`, and there is none"
        reading.problems.add("E105", message, tree.key_spot(node, ["external_id"]))
    repositories = _repositories(reading, model.repositories, tree.find(node, ["repositories"]))
    return TargetSettings(
        name,
        model.registry.host,
        model.registry.prefix,
        model.profile or None,
        model.role_arn or None,
        model.external_id or None,
        model.sparse_indexes,
        repositories,
    )


def _check_host(reading: Reading, host: str, node: Node) -> None:
    """A host that nearly is ECR's is a mistake: it would be asked without AWS's credentials, or not be found."""
    if why := almost(host):
        reading.problems.add("E112", why, tree.find(node, ["registry"]).at)
    elif parse_host(host) is None:
        _refuse_keys(reading, node, _ECR_ONLY, "for Amazon ECR, and this registry is none")
    else:
        _refuse_keys(reading, node, _ELSEWHERE_ONLY, "for other registries: Amazon ECR takes no sparse index")


def _refuse_keys(reading: Reading, node: Node, keys: Iterable[str], why: str) -> None:
    for key in keys:
        if isinstance(node, tree.Table) and key in node.entries:
            reading.problems.add("E105", f"`{key}` is {why}", node.entries[key].key_at)


def _repositories(reading: Reading, model: models.Repositories | None, node: Node) -> RepositorySettings:
    if model is None:
        return RepositorySettings()
    if bool(model.mutability_exclusions) != (model.tag_mutability in _WITH_EXCLUSION):
        message = "`mutability_exclusions` and a `tag_mutability` of ..._WITH_EXCLUSION need each other"
        reading.problems.add("E105", message, node.at)
    if model.encryption.kms_key and model.encryption.type is EncryptionType.AES256:
        message = "`kms_key` needs `type: KMS` or `type: KMS_DSSE`"
        reading.problems.add("E105", message, tree.key_spot(node, ["encryption", "kms_key"]))
    return RepositorySettings(
        model.create,
        model.tag_mutability,
        tuple(model.mutability_exclusions),
        model.scan_on_push,
        Encryption(model.encryption.type, model.encryption.kms_key or None),
        Lifecycle(model.lifecycle.untagged_after_days, model.lifecycle.keep_last),
        tuple(model.tags.items()),
    )
