"""ECR's API: items of the fidelity list by their number (10, 12, 13, 14)."""

import asyncio

import pytest
from ecr_clients import Api, small

from syncer.sandbox.documents import digest_of
from syncer.sandbox.ecr.server import EcrRegion

MISSING = "The repository with name 'team/none' does not exist in the registry with id '123456789012'"
HOST = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
MIB = 1024 * 1024

pytestmark = pytest.mark.usefixtures("team")


async def test_7_1_10_put_image_is_throttled_first_and_alone(api, v2, registry, clock):
    pushed = small()
    await v2.push("team/app", pushed)
    replies = [await v2.put_manifest("team/app", pushed, f"v{n}") for n in range(20)]
    refused = [reply for reply in replies if reply.status == 429]
    assert [reply.status for reply in replies[:19]] == [201] * 19
    assert refused[0].refusal == (429, "TOOMANYREQUESTS")
    assert "Rate exceeded" in refused[0].text
    put = {"repositoryName": "team/app", "imageManifest": pushed.raw.decode(), "imageTag": "w"}
    assert await api.error("put_image", **put) == ("ThrottlingException", "Rate exceeded")
    assert (await v2("HEAD", "/v2/team/app/manifests/v1")).status == 200
    assert registry.throttle.refused == {"PutImage": 2}
    clock.advance(0.1)
    assert (await api.put_image(**put))["image"]["imageId"]["imageTag"] == "w"


async def test_7_1_10_quotas_scale_and_the_api_answers_400(region, api):
    region.switches.quota_factor, region.switches.burst_seconds = 1 / 500, 1
    region.state.registries["123456789012"].throttle.take("GetAuthorizationToken")
    with pytest.raises(Exception, match="ThrottlingException") as raised:
        await api.get_authorization_token()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


async def test_7_1_12_more_than_100_ids_are_refused(api):
    ids = [{"imageTag": f"v{n}"} for n in range(101)]
    for operation in ("batch_get_image", "describe_images", "batch_delete_image"):
        code, message = await api.error(operation, repositoryName="team/app", imageIds=ids)
        assert code == "InvalidParameterException"
        assert "Member must have length less than or equal to 100" in message
    digests = [digest_of(str(n).encode()) for n in range(101)]
    code, _ = await api.error("batch_check_layer_availability", repositoryName="team/app", layerDigests=digests)
    assert code == "InvalidParameterException"


async def test_7_1_12_a_batch_may_fail_in_part(api, v2):
    pushed, other = small(), digest_of(b"other")
    await v2.push("team/app", pushed, "v1")
    ids = [{"imageTag": "v1"}, {"imageTag": "v2"}, {"imageDigest": "x"}, {"imageTag": "v1", "imageDigest": other}, {}]
    answer = await api.batch_get_image(repositoryName="team/app", imageIds=ids)
    assert [one["imageId"]["imageDigest"] for one in answer["images"]] == [pushed.digest]
    codes = ["ImageNotFound", "InvalidImageDigest", "ImageTagDoesNotMatchDigest", "MissingDigestAndTag"]
    assert [one["failureCode"] for one in answer["failures"]] == codes
    assert answer["failures"][0]["failureReason"] == "Requested image not found"
    assert answer["failures"][0]["imageId"] == {"imageTag": "v2"}


async def test_7_1_12_describe_images_fails_as_a_whole(api, v2):
    await v2.push("team/app", small(), "v1")
    ids = [{"imageTag": "v1"}, {"imageTag": "v2"}]
    code, message = await api.error("describe_images", repositoryName="team/app", imageIds=ids)
    assert (code, "v2" in message) == ("ImageNotFoundException", True)
    code, _ = await api.error("describe_repositories", repositoryNames=["team/app", "team/none"])
    assert code == "RepositoryNotFoundException"


async def test_7_1_12_paging_tokens_are_opaque_and_belong_to_their_listing(api, registry, tagged):
    registry.create("other")
    first = await api.list_images(repositoryName="team/app", maxResults=200)
    token = first["nextToken"]
    second = await api.list_images(repositoryName="team/app", maxResults=200, nextToken=token)
    assert (len(first["imageIds"]), "nextToken" in second) == (200, False)
    assert sorted(row["imageTag"] for row in first["imageIds"] + second["imageIds"]) == tagged
    assert len((await api.list_images(repositoryName="team/app"))["imageIds"]) == 100
    for wrong in ({"repositoryName": "other", "nextToken": token}, {"repositoryName": "team/app", "nextToken": "v7"}):
        assert (await api.error("list_images", **wrong))[0] == "InvalidParameterException"


async def test_7_1_13_one_of_two_creators_of_a_repository_is_told_that_it_exists(api):
    made = await asyncio.gather(
        *(api.create_repository(repositoryName="race") for _ in range(2)), return_exceptions=True
    )
    errors = [str(one) for one in made if isinstance(one, Exception)]
    assert len(errors) == 1
    assert "RepositoryAlreadyExistsException" in errors[0]


async def test_7_1_13_the_registry_can_be_full(api, region):
    region.switches.repositories = 2
    await api.create_repository(repositoryName="first")
    assert (await api.error("create_repository", repositoryName="second"))[0] == "LimitExceededException"


@pytest.mark.parametrize("name", ["a__b", "a--b/c.d", "library/nginx"])
async def test_7_1_13_names_of_the_grammar_are_taken(api, name):
    assert (await api.create_repository(repositoryName=name))["repository"]["repositoryName"] == name


@pytest.mark.parametrize("name", ["Upper", "a..b", "a___b", "/a", "a/", "a//b", "-a", "x" * 257, "a b"])
async def test_7_1_13_other_names_are_refused(api, name):
    assert (await api.error("create_repository", repositoryName=name))[0] == "InvalidParameterException"


@pytest.mark.parametrize(
    ("name", "arn", "suffix"),
    [
        ("cn-northwest-1", "arn:aws-cn:ecr:cn-northwest-1", "cn-northwest-1.amazonaws.com.cn"),
        ("eu-west-1", "arn:aws:ecr:eu-west-1", "eu-west-1.amazonaws.com"),
    ],
)
async def test_7_1_13_names_are_those_of_the_partition(name, arn, suffix):
    async with EcrRegion(name, public=True) as region:
        api = Api("ecr", region.api.address, name)
        made = (await api.create_repository(repositoryName="r1"))["repository"]
        [data] = (await api.get_authorization_token())["authorizationData"]
    assert made["repositoryArn"] == f"{arn}:123456789012:repository/r1"
    assert made["repositoryUri"] == f"123456789012.dkr.ecr.{suffix}/r1"
    assert data["proxyEndpoint"] == f"https://123456789012.dkr.ecr.{suffix}"
    hosts = {f"https://api.ecr.{suffix}", f"https://123456789012.dkr.ecr.{suffix}", f"https://sts.{suffix}"}
    assert hosts < set(region.dial)


async def test_7_1_14_without_a_template_a_push_creates_nothing(api, v2):
    assert (await v2("POST", "/v2/team/new/blobs/uploads/")).refusal == (404, "NAME_UNKNOWN")
    template = {"prefix": "team", "appliedFor": ["REPLICATION"]}
    await api.create_repository_creation_template(**template)
    assert (await v2("POST", "/v2/team/new/blobs/uploads/")).refusal == (404, "NAME_UNKNOWN")


async def test_7_1_14_the_template_with_the_longest_prefix_creates_on_push(api, v2, registry):
    for prefix, mode in (("ROOT", "MUTABLE"), ("team", "IMMUTABLE"), ("te", "MUTABLE")):
        template = {"prefix": prefix, "appliedFor": ["CREATE_ON_PUSH"], "imageTagMutability": mode}
        await api.create_repository_creation_template(**template)
    for name, mode in (("team/new", "IMMUTABLE"), ("else/new", "MUTABLE")):
        assert (await v2.push(name, small(), "v1")).status == 201
        assert registry.repository(name).mutability.mode == mode
    assert (await api.delete_repository_creation_template(prefix="te"))["repositoryCreationTemplate"]["prefix"] == "te"
    left = await api.describe_repository_creation_templates()
    assert [one["prefix"] for one in left["repositoryCreationTemplates"]] == ["ROOT", "team"]


async def test_7_1_14_blob_mounting_is_off_by_default_and_may_not_exist(api, region):
    assert (await api.get_account_setting(name="BLOB_MOUNTING"))["value"] == "DISABLED"
    await api.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    assert (await api.get_account_setting(name="BLOB_MOUNTING"))["value"] == "ENABLED"
    region.switches.mounting_supported = False
    code, _ = await api.error("put_account_setting", name="BLOB_MOUNTING", value="ENABLED")
    assert code == "ValidationException"


async def test_7_1_14_a_replica_is_in_progress_and_then_complete(api, v2, clock):
    await v2.push("team/app", small("before"), "old")
    clock.advance(1)
    to = {"region": "cn-northwest-1", "registryId": "123456789012"}
    rules = [{"destinations": [to], "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}]}]
    await api.put_replication_configuration(replicationConfiguration={"rules": rules})
    assert (await api.describe_registry())["replicationConfiguration"]["rules"] == rules
    await v2.push("team/app", small(), "v1")
    seen = []
    for tag, seconds in (("old", 0), ("v1", 0), ("v1", 60)):
        clock.advance(seconds)
        asked = {"repositoryName": "team/app", "imageId": {"imageTag": tag}}
        seen.append((await api.describe_image_replication_status(**asked))["replicationStatuses"])
    assert seen == [[], [{**to, "status": "IN_PROGRESS"}], [{**to, "status": "COMPLETE"}]]


async def test_7_1_14_no_replication_out_of_the_partition(api):
    rules = [{"destinations": [{"region": "us-east-1", "registryId": "123456789012"}]}]
    code, _ = await api.error("put_replication_configuration", replicationConfiguration={"rules": rules})
    assert code == "ValidationException"
