"""Operations on repositories and their settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from syncer.sandbox.ecr.api.lifecycle import check_policy
from syncer.sandbox.ecr.failures import Failure, invalid
from syncer.sandbox.ecr.mutability import TagMutability

if TYPE_CHECKING:
    from syncer.sandbox.ecr.api.asked import Asked
    from syncer.sandbox.ecr.repository import Repository

MOST_TAGS = 50


def create_repository(asked: Asked) -> dict[str, Any]:
    """CreateRepository."""
    settings: dict[str, Any] = {
        "mutability": _mutability(asked),
        "scan_on_push": asked.input.get("imageScanningConfiguration", {}).get("scanOnPush", False),
        "resource_tags": _tags(asked.input.get("tags", []), {}),
    }
    if "encryptionConfiguration" in asked.input:
        settings["encryption"] = _encryption(asked)
    return {"repository": asked.registry.create(asked.input["repositoryName"], **settings).answer(asked.region.names)}


def describe_repositories(asked: Asked) -> dict[str, Any]:
    """DescribeRepositories: one missing name fails the whole call."""
    asked.expect_no_paging_with("repositoryNames")
    registry, names = asked.registry, asked.region.names
    if "repositoryNames" in asked.input:
        return {"repositories": [registry.repository(name).answer(names) for name in asked.input["repositoryNames"]]}
    return asked.page("repositories", [one.answer(names) for one in registry.repositories.values()])


def delete_repository(asked: Asked) -> dict[str, Any]:
    """DeleteRepository."""
    repository = asked.repository
    if repository.content.manifests and not asked.input.get("force", False):
        text = f"The repository with name '{repository.name}' in registry with id '{asked.account}' is not empty"
        raise Failure("RepositoryNotEmptyException", text + " and cannot be deleted because it still contains images")
    asked.registry.delete(repository.name)
    described = repository.answer(asked.region.names)
    return {"repository": described}


def put_image_tag_mutability(asked: Asked) -> dict[str, Any]:
    """PutImageTagMutability."""
    asked.repository.mutability = _mutability(asked)
    return asked.place | asked.repository.mutability.answer()


def put_image_scanning_configuration(asked: Asked) -> dict[str, Any]:
    """PutImageScanningConfiguration."""
    repository = asked.repository
    repository.scan_on_push = asked.input["imageScanningConfiguration"].get("scanOnPush", False)
    return asked.place | {"imageScanningConfiguration": {"scanOnPush": repository.scan_on_push}}


def put_lifecycle_policy(asked: Asked) -> dict[str, Any]:
    """PutLifecyclePolicy."""
    repository, text = asked.repository, asked.input["lifecyclePolicyText"]
    check_policy(text)
    repository.lifecycle = text
    return asked.place | {"lifecyclePolicyText": text}


def get_lifecycle_policy(asked: Asked) -> dict[str, Any]:
    """GetLifecyclePolicy."""
    repository = asked.repository
    if repository.lifecycle is None:
        text = f"Lifecycle policy does not exist for the repository with name '{repository.name}'"
        text += f" in the registry with id '{asked.account}'"
        raise Failure("LifecyclePolicyNotFoundException", text)
    return asked.place | {
        "lifecyclePolicyText": repository.lifecycle,
        "lastEvaluatedAt": repository.created_at.timestamp(),
    }


def tag_resource(asked: Asked) -> dict[str, Any]:
    """TagResource."""
    repository = _by_arn(asked)
    repository.resource_tags = _tags(asked.input["tags"], repository.resource_tags)
    return {}


def list_tags_for_resource(asked: Asked) -> dict[str, Any]:
    """ListTagsForResource."""
    tags = _by_arn(asked).resource_tags
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _by_arn(asked: Asked) -> Repository:
    names = asked.region.names
    match = re.fullmatch(r"arn:([\w-]+):ecr:([\w-]+):(\d{12}):repository/(.+)", asked.input["resourceArn"])
    if match is None or match[1] != names.partition or match[2] != names.region:
        raise invalid("resourceArn", "Invalid ARN")
    if match[3] not in asked.region.registries:
        raise Failure("RepositoryNotFoundException", f"The registry with id '{match[3]}' does not exist")
    return asked.region.registries[match[3]].repository(match[4])


def _mutability(asked: Asked) -> TagMutability:
    mode = asked.input.get("imageTagMutability", "MUTABLE")
    return TagMutability(mode, asked.input.get("imageTagMutabilityExclusionFilters"))


def _encryption(asked: Asked) -> dict[str, str]:
    wanted: dict[str, str] = asked.input["encryptionConfiguration"]
    if wanted["encryptionType"] == "AES256":
        if "kmsKey" in wanted:
            raise invalid("encryptionConfiguration", "A KMS key needs the encryption type KMS or KMS_DSSE")
        return wanted
    names = asked.region.names
    return {"kmsKey": f"arn:{names.partition}:kms:{names.region}:{asked.account}:alias/aws/ecr", **wanted}


def _tags(wanted: list[dict[str, str]], present: dict[str, str]) -> dict[str, str]:
    keys = [tag["Key"] for tag in wanted]
    if len(set(keys)) != len(keys) or any(not key or key.lower().startswith("aws:") for key in keys):
        raise Failure("InvalidTagParameterException", "Tag keys must be unique, not empty, and not begin with 'aws:'")
    tags = present | {tag["Key"]: tag["Value"] for tag in wanted}
    if len(tags) > MOST_TAGS:
        raise Failure("TooManyTagsException", f"A repository may have at most {MOST_TAGS} tags")
    return tags


OPERATIONS = {
    "CreateRepository": create_repository,
    "DescribeRepositories": describe_repositories,
    "DeleteRepository": delete_repository,
    "PutImageTagMutability": put_image_tag_mutability,
    "PutImageScanningConfiguration": put_image_scanning_configuration,
    "PutLifecyclePolicy": put_lifecycle_policy,
    "GetLifecyclePolicy": get_lifecycle_policy,
    "TagResource": tag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
