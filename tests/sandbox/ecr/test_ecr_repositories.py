"""Repositories of ECR and their settings, through the API."""

import json

import pytest
from ecr_clients import small

pytestmark = pytest.mark.usefixtures("team")

POLICY = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 50},
            "action": {"type": "expire"},
        },
    ]
}


async def test_a_repository_is_created_with_its_settings(api):
    settings = {
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}],
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "arn:aws-cn:kms:cn-north-1:1:key/k"},
    }
    await api.create_repository(repositoryName="made", tags=[{"Key": "owner", "Value": "me"}], **settings)
    [found] = (await api.describe_repositories(repositoryNames=["made"]))["repositories"]
    assert {name: found[name] for name in settings} == settings
    tags = await api.list_tags_for_resource(resourceArn=found["repositoryArn"])
    assert tags["tags"] == [{"Key": "owner", "Value": "me"}]


async def test_settings_can_be_changed_later(api, registry):
    arn = "arn:aws-cn:ecr:cn-north-1:123456789012:repository/team/app"
    await api.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    await api.put_image_scanning_configuration(
        repositoryName="team/app", imageScanningConfiguration={"scanOnPush": True}
    )
    await api.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "1"}])
    team = registry.repository("team/app")
    assert (team.mutability.mode, team.scan_on_push, team.resource_tags) == ("IMMUTABLE", True, {"a": "1"})
    wrong = arn.replace("aws-cn", "aws")
    assert (await api.error("list_tags_for_resource", resourceArn=wrong))[0] == "InvalidParameterException"


async def test_a_lifecycle_policy_is_kept_as_text(api):
    asked = {"repositoryName": "team/app"}
    assert (await api.error("get_lifecycle_policy", **asked))[0] == "LifecyclePolicyNotFoundException"
    await api.put_lifecycle_policy(lifecyclePolicyText=json.dumps(POLICY), **asked)
    assert json.loads((await api.get_lifecycle_policy(**asked))["lifecyclePolicyText"]) == POLICY


@pytest.mark.parametrize(
    ("rule", "change", "text"),
    [
        (0, {"tagStatus": "tagged"}, "exactly one of"),
        (0, {"countUnit": None}, "countUnit"),
        (0, {"countNumber": 0}, "positive"),
        (0, {"countType": "sinceImagePulled"}, "transition only"),
        (0, {"tagStatus": "any"}, "highest rulePriority"),
        (1, {"countUnit": "days"}, "countUnit"),
    ],
)
async def test_a_lifecycle_policy_that_the_service_would_refuse_is_refused(api, rule, change, text):
    policy = json.loads(json.dumps(POLICY))
    policy["rules"][rule]["selection"] |= change
    code, message = await api.error(
        "put_lifecycle_policy", repositoryName="team/app", lifecyclePolicyText=json.dumps(policy)
    )
    assert (code, text in message) == ("InvalidParameterException", True)


async def test_a_repository_with_images_is_deleted_by_force_only(api, v2):
    await v2.push("team/app", small())
    assert (await api.error("delete_repository", repositoryName="team/app"))[0] == "RepositoryNotEmptyException"
    await api.delete_repository(repositoryName="team/app", force=True)
    assert (await api.describe_repositories())["repositories"] == []
    assert (await v2("GET", "/v2/team/app/tags/list")).refusal == (404, "NAME_UNKNOWN")


async def test_repositories_are_listed_in_pages(api, registry):
    for number in range(5):
        registry.create(f"r{number}")
    first = await api.describe_repositories(maxResults=4)
    second = await api.describe_repositories(maxResults=4, nextToken=first["nextToken"])
    assert (len(first["repositories"]), len(second["repositories"])) == (4, 2)
    assert "nextToken" not in second
