"""Operations on a registry as a whole: tokens, account settings, creation templates, replication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncer.sandbox.ecr.failures import Failure, image_not_found, invalid
from syncer.sandbox.ecr.mutability import TagMutability
from syncer.sandbox.ecr.names import RegionNames

if TYPE_CHECKING:
    from syncer.sandbox.ecr.api.asked import Asked
    from syncer.sandbox.ecr.registry import Registry

ACCOUNT_SETTINGS = {  # the values, the default first
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE", "CLAIR"),
    "REGISTRY_POLICY_SCOPE": ("V2", "V1"),
    "BLOB_MOUNTING": ("DISABLED", "ENABLED"),
}
MOST_RULES = 10
MOST_DESTINATIONS = 25


def get_authorization_token(asked: Asked) -> dict[str, Any]:
    """GetAuthorizationToken: the endpoint is always the plain host."""
    token = asked.region.tokens.mint(asked.principal.access_key)
    accounts = asked.input.get("registryIds", [asked.principal.account])
    return {
        "authorizationData": [
            {
                "authorizationToken": token.encoded,
                "expiresAt": token.expires_at.timestamp(),
                "proxyEndpoint": f"https://{asked.region.names.registry_host(account)}",
            }
            for account in accounts
        ]
    }


def get_account_setting(asked: Asked) -> dict[str, Any]:
    """GetAccountSetting."""
    name = asked.input["name"]
    values = _setting_values(asked, name)
    return {"name": name, "value": asked.registry.settings.account.get(name, values[0])}


def put_account_setting(asked: Asked) -> dict[str, Any]:
    """PutAccountSetting."""
    name, value = asked.input["name"], asked.input["value"]
    if value not in _setting_values(asked, name):
        raise Failure("ValidationException", f"Invalid value '{value}' for the account setting '{name}'")
    asked.registry.settings.account[name] = value
    return {"name": name, "value": value}


def create_template(asked: Asked) -> dict[str, Any]:
    """CreateRepositoryCreationTemplate."""
    given, templates = asked.input, asked.registry.settings.templates
    prefix = given["prefix"]
    if prefix in templates:
        raise Failure("TemplateAlreadyExistsException", f"A template for the prefix '{prefix}' already exists")
    encryption = given.get("encryptionConfiguration", {"encryptionType": "AES256"})
    if (encryption["encryptionType"] != "AES256" or "resourceTags" in given) and "customRoleArn" not in given:
        raise Failure("ValidationException", "customRoleArn is required with KMS encryption or resource tags")
    TagMutability(given.get("imageTagMutability", "MUTABLE"), given.get("imageTagMutabilityExclusionFilters"))
    now = asked.region.clock.now().timestamp()
    templates[prefix] = {"imageTagMutability": "MUTABLE", **given, "createdAt": now, "updatedAt": now}
    templates[prefix]["encryptionConfiguration"] = encryption
    return _template_answer(asked, templates[prefix])


def describe_templates(asked: Asked) -> dict[str, Any]:
    """DescribeRepositoryCreationTemplates: prefixes that have none are left out."""
    asked.expect_no_paging_with("prefixes")
    templates = asked.registry.settings.templates
    wanted = asked.input.get("prefixes", list(templates))
    found = [templates[prefix] for prefix in wanted if prefix in templates]
    return {"registryId": asked.account} | asked.page("repositoryCreationTemplates", found)


def delete_template(asked: Asked) -> dict[str, Any]:
    """DeleteRepositoryCreationTemplate."""
    prefix = asked.input["prefix"]
    if prefix not in asked.registry.settings.templates:
        raise Failure("TemplateNotFoundException", f"There is no template for the prefix '{prefix}'")
    return _template_answer(asked, asked.registry.settings.templates.pop(prefix))


def put_replication_configuration(asked: Asked) -> dict[str, Any]:
    """PutReplicationConfiguration: replaces all rules, and holds for what is pushed from now on."""
    configuration = asked.input["replicationConfiguration"]
    destinations = {(to["region"], to["registryId"]) for rule in configuration["rules"] for to in rule["destinations"]}
    if len(configuration["rules"]) > MOST_RULES or len(destinations) > MOST_DESTINATIONS:
        limits = f"at most {MOST_RULES} rules and {MOST_DESTINATIONS} unique destinations"
        raise invalid("replicationConfiguration", limits)
    names = asked.region.names
    for region, account in destinations:
        if RegionNames.of(region).partition != names.partition or (region, account) == (names.region, asked.account):
            raise Failure("ValidationException", f"'{region}' in '{account}' cannot be a destination of this registry")
    settings = asked.registry.settings
    settings.replication, settings.replicating_since = configuration, asked.region.clock.now()
    return {"replicationConfiguration": configuration}


def describe_registry(asked: Asked) -> dict[str, Any]:
    """DescribeRegistry."""
    return {"registryId": asked.account, "replicationConfiguration": asked.registry.settings.replication}


def describe_image_replication_status(asked: Asked) -> dict[str, Any]:
    """DescribeImageReplicationStatus: IN_PROGRESS after the push, COMPLETE when the time is over."""
    repository, image_id = asked.repository, asked.input["imageId"]
    image = repository.content.find(image_id.get("imageTag") or image_id.get("imageDigest", ""))
    if image is None:
        raise image_not_found(repository.name, asked.account, str(image_id))
    settings, now = asked.registry.settings, asked.region.clock.now()
    replicates = settings.replicating_since is not None and image.pushed_at >= settings.replicating_since
    age = (now - image.pushed_at).total_seconds()
    status = "COMPLETE" if age >= asked.region.switches.replication_seconds else "IN_PROGRESS"
    destinations = _destinations(asked.registry, repository.name) if replicates else []
    return {
        "repositoryName": repository.name,
        "imageId": image_id,
        "replicationStatuses": [{**destination, "status": status} for destination in destinations],
    }


def _destinations(registry: Registry, repository: str) -> list[dict[str, str]]:
    found = [
        destination
        for rule in registry.settings.replication["rules"]
        for destination in rule["destinations"]
        if _concerns(rule, repository)
    ]
    return list({(to["region"], to["registryId"]): to for to in found}.values())


def _concerns(rule: dict[str, Any], repository: str) -> bool:
    filters = rule.get("repositoryFilters", [])
    return not filters or any(repository.startswith(one["filter"]) for one in filters)


def _setting_values(asked: Asked, name: str) -> tuple[str, ...]:
    hidden = name == "BLOB_MOUNTING" and not asked.region.switches.mounting_supported
    if name not in ACCOUNT_SETTINGS or hidden:
        raise Failure("ValidationException", f"Unknown account setting '{name}'")
    return ACCOUNT_SETTINGS[name]


def _template_answer(asked: Asked, template: dict[str, Any]) -> dict[str, Any]:
    return {"registryId": asked.account, "repositoryCreationTemplate": template}


OPERATIONS = {
    "GetAuthorizationToken": get_authorization_token,
    "GetAccountSetting": get_account_setting,
    "PutAccountSetting": put_account_setting,
    "CreateRepositoryCreationTemplate": create_template,
    "DescribeRepositoryCreationTemplates": describe_templates,
    "DeleteRepositoryCreationTemplate": delete_template,
    "PutReplicationConfiguration": put_replication_configuration,
    "DescribeRegistry": describe_registry,
    "DescribeImageReplicationStatus": describe_image_replication_status,
}
