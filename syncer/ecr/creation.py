"""What a new ECR repository looks like, in the words of the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncer.settings.targets import Lifecycle, RepositorySettings


def creation(settings: RepositorySettings) -> dict[str, Any]:
    """The parameters of CreateRepository besides the name."""
    encryption = {"encryptionType": settings.encryption.type.value}
    if settings.encryption.kms_key:
        encryption["kmsKey"] = settings.encryption.kms_key
    parameters: dict[str, Any] = {
        "imageTagMutability": settings.tag_mutability.value,
        "imageScanningConfiguration": {"scanOnPush": settings.scan_on_push},
        "encryptionConfiguration": encryption,
    }
    if settings.mutability_exclusions:
        filters = [{"filterType": "WILDCARD", "filter": text} for text in settings.mutability_exclusions]
        parameters["imageTagMutabilityExclusionFilters"] = filters
    if settings.tags:
        parameters["tags"] = [{"Key": key, "Value": value} for key, value in settings.tags]
    return parameters


def lifecycle_policy(lifecycle: Lifecycle) -> str | None:
    """The text of PutLifecyclePolicy, or None where nothing is ever to be removed.

    Children of an index are safe from `untagged_after_days`: ECR does not expire an image that an index refers to.
    Source: ECR user guide, "Lifecycle policies".
    """
    rules: list[dict[str, Any]] = []
    if lifecycle.untagged_after_days is not None:
        days = lifecycle.untagged_after_days
        selection: dict[str, Any] = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days"}
        rules.append(_rule(1, f"untagged for {days} days", selection | {"countNumber": days}))
    if lifecycle.keep_last is not None:
        keep = lifecycle.keep_last
        selection = {"tagStatus": "tagged", "tagPatternList": ["*"], "countType": "imageCountMoreThan"}
        rules.append(_rule(2, f"all but the last {keep} images", selection | {"countNumber": keep}))
    return json.dumps({"rules": rules}) if rules else None


def _rule(priority: int, description: str, selection: dict[str, Any]) -> dict[str, Any]:
    return {
        "rulePriority": priority,
        "description": description,
        "selection": selection,
        "action": {"type": "expire"},
    }
