"""The AWS API beyond the fidelity list: checked requests, signatures, and the operations one by one."""

import json

import aiohttp
import pytest
from botocore.exceptions import ClientError
from ecr_clients import Api, small

from syncer.sandbox import gallery
from syncer.sandbox.documents import digest_of
from syncer.sandbox.ecr.names import service_model
from syncer.sandbox.ecr.shapes import ModelViolationError, check_answer
from syncer.sandbox.images import image

pytestmark = pytest.mark.usefixtures("team")

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/{region}/{service}/aws4_request, "
SIGNED += "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + "0" * 64
GOOD = SIGNED.format(region="cn-north-1", service="ecr")
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


async def _raw(region, operation, body, authorization=GOOD):
    """Status and JSON of a request that botocore would not send."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
        "Authorization": authorization,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(region.api.address, data=body, headers=headers) as response,
    ):
        assert response.headers["Content-Type"] == "application/x-amz-json-1.1"
        return response.status, json.loads(await response.read())


@pytest.mark.parametrize(
    ("operation", "given", "code", "text"),
    [
        ("ListImages", {}, "InvalidParameterException", "'repositoryName'"),
        ("ListImages", {"repositoryName": 7}, "SerializationException", "expected string"),
        ("ListImages", {"repositoryName": "team/app", "maxResults": True}, "SerializationException", "integer"),
        ("ListImages", {"repositoryName": "team/app", "maxResults": 1001}, "InvalidParameterException", "1000"),
        ("ListImages", {"repositoryName": "x"}, "InvalidParameterException", "greater than or equal to 2"),
        (
            "ListImages",
            {"repositoryName": "team/app", "filter": {"tagStatus": "SOME"}},
            "InvalidParameterException",
            "enum",
        ),
        ("ListImages", {"repositoryName": "team/app", "page": 1}, "InvalidParameterException", "unknown"),
        ("ListImages", {"repositoryName": "team/app", "registryId": "12"}, "InvalidParameterException", "pattern"),
        ("ListPods", {}, "UnknownOperationException", "ListPods"),
    ],
)
async def test_a_request_that_the_service_model_forbids_is_refused(region, operation, given, code, text):
    status, answer = await _raw(region, operation, json.dumps(given))
    assert (status, answer["__type"]) == (400, code)
    assert text in answer["message"]


@pytest.mark.parametrize("body", ["", "[]", "{", '{"repositoryName": null}'])
async def test_a_body_that_is_no_json_object_of_the_shape_is_refused(region, body):
    assert (await _raw(region, "ListImages", body))[1]["__type"] == "SerializationException"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "MissingAuthenticationTokenException"),
        ("Basic QVdTOng=", "MissingAuthenticationTokenException"),
        (SIGNED.format(region="us-east-1", service="ecr"), "InvalidSignatureException"),
        (SIGNED.format(region="cn-north-1", service="s3"), "InvalidSignatureException"),
    ],
)
async def test_a_request_must_be_signed_for_ecr_in_this_region(region, authorization, code):
    status, answer = await _raw(region, "DescribeRegistry", "{}", authorization)
    assert (status, answer["__type"]) == (400, code)


async def test_the_key_of_each_request_is_kept(region, api):
    await api.describe_registry()
    await Api("ecr", region.api.address, "cn-north-1", "AKIAOTHER").error("list_images", repositoryName="none/none")
    calls = [(call.operation, call.access_key, call.error) for call in region.state.calls]
    assert calls[0] == ("DescribeRegistry", "AKIATEST", None)
    assert calls[1] == ("ListImages", "AKIAOTHER", "RepositoryNotFoundException")


async def test_with_strict_keys_a_stranger_is_not_recognized(region, api):
    region.state.principals.strict = True
    assert (await api.error("describe_registry"))[0] == "UnrecognizedClientException"
    region.state.principals.add_user("AKIATEST", "123456789012")
    assert (await api.describe_registry())["registryId"] == "123456789012"


def test_an_answer_that_the_model_lacks_is_a_bug_of_ours():
    shape = service_model("ecr").operation_model("ListImages").output_shape
    check_answer(shape, {"imageIds": []})
    for wrong in ({"images": []}, {"imageIds": [{"imageDigest": 1}]}, {"imageIds": None}):
        with pytest.raises(ModelViolationError):
            check_answer(shape, wrong)


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


async def test_deleting_the_last_tag_deletes_the_image(api, v2):
    await v2.push("team/app", small(), "v1")
    await v2.put_manifest("team/app", small(), "v2")
    for tag, left in (("v1", 1), ("v2", 0)):
        await api.batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": tag}])
        assert len((await api.list_images(repositoryName="team/app"))["imageIds"]) == left


async def test_the_child_of_an_index_cannot_be_deleted_before_it(api, v2):
    pushed = image("app", "v1")
    await v2.push("team/app", pushed, "v1")
    child = {"imageDigest": pushed.children[0].digest}
    answer = await api.batch_delete_image(repositoryName="team/app", imageIds=[child, {"imageTag": "none"}])
    codes = [failure["failureCode"] for failure in answer["failures"]]
    assert codes == ["ImageReferencedByManifestList", "ImageNotFound"]
    deleted = await api.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": pushed.digest}, child])
    assert (len(deleted["imageIds"]), deleted["failures"]) == (2, [])


async def test_a_put_by_a_wrong_digest_is_refused(api, v2):
    await v2.push("team/app", small("other"))
    put = {"repositoryName": "team/app", "imageManifest": small("other").raw.decode(), "imageTag": "v1"}
    code, _ = await api.error("put_image", imageDigest=digest_of(b"x"), **put)
    assert code == "ImageDigestDoesNotMatchException"
    reply = await v2.put_manifest("team/app", small("other"), digest_of(b"x"))
    assert reply.refusal == (400, "DIGEST_INVALID")


async def test_an_image_is_moved_to_another_tag_by_its_string(api, v2):
    pushed = image("app", "v1")
    await v2.push("team/app", pushed, "v1")
    got = (await api.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}]))["images"][0]
    await api.put_image(repositoryName="team/app", imageManifest=got["imageManifest"], imageTag="v2")
    head = await v2("HEAD", "/v2/team/app/manifests/v2")
    assert head.headers["Docker-Content-Digest"] == pushed.digest


async def test_what_is_not_accepted_is_not_found(api, v2):
    await v2.push("team/app", small(), "v1")
    asked = {"repositoryName": "team/app", "imageIds": [{"imageTag": "v1"}]}
    answer = await api.batch_get_image(acceptedMediaTypes=["application/vnd.oci.image.index.v1+json"], **asked)
    assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageNotFound"]


@pytest.mark.parametrize("tag_status", ["TAGGED", "UNTAGGED"])
async def test_listings_can_be_filtered(api, v2, tag_status):
    await v2.push("team/app", small("tagged"), "v1")
    await v2.push("team/app", small("bare"))
    wanted = small("tagged" if tag_status == "TAGGED" else "bare").digest
    asked = {"repositoryName": "team/app", "filter": {"tagStatus": tag_status}}
    for operation, member in (("list_images", "imageIds"), ("describe_images", "imageDetails")):
        assert [row["imageDigest"] for row in (await getattr(api, operation)(**asked))[member]] == [wanted]


async def test_image_details_say_what_was_pushed(api, v2, clock):
    pushed = small()
    await v2.push("team/app", pushed, "v1")
    asked = {"repositoryName": "team/app", "imageIds": [{"imageDigest": pushed.digest}]}
    [details] = (await api.describe_images(**asked))["imageDetails"]
    assert (details["imageTags"], details["imageStatus"]) == (["v1"], "ACTIVE")
    assert details["imageSizeInBytes"] == sum(blob.size for blob in pushed.blobs)
    assert details["imagePushedAt"] == clock.now()
    assert "lastRecordedPullTime" not in details
    await v2("GET", "/v2/team/app/manifests/v1")
    assert "lastRecordedPullTime" in (await api.describe_images(**asked))["imageDetails"][0]


async def test_layers_are_available_or_not_and_bad_digests_fail(api, v2):
    pushed = small()
    await v2.push("team/app", pushed)
    digests = [pushed.blobs[1].digest, digest_of(b"none"), "sha256:xyz", ""]
    answer = await api.batch_check_layer_availability(repositoryName="team/app", layerDigests=digests)
    seen = [(one["layerAvailability"], one.get("layerSize")) for one in answer["layers"]]
    assert seen == [("AVAILABLE", pushed.blobs[1].size), ("UNAVAILABLE", None)]
    codes = [failure["failureCode"] for failure in answer["failures"]]
    assert codes == ["InvalidLayerDigest", "MissingLayerDigest"]


async def test_layer_parts_follow_each_other(api):
    repository = {"repositoryName": "team/app"}
    upload = {"uploadId": (await api.initiate_layer_upload(**repository))["uploadId"], **repository}
    await api.upload_layer_part(partFirstByte=0, partLastByte=3, layerPartBlob=b"0123", **upload)
    with pytest.raises(ClientError) as raised:
        await api.upload_layer_part(partFirstByte=9, partLastByte=9, layerPartBlob=b"9", **upload)
    assert raised.value.response["Error"]["Code"] == "InvalidLayerPartException"
    assert raised.value.response["lastValidByteReceived"] == 3
    wrong = [digest_of(b"other")]
    assert (await api.error("complete_layer_upload", layerDigests=wrong, **upload))[0] == "InvalidLayerException"
    assert (await api.error("complete_layer_upload", layerDigests=wrong, **upload))[0] == "UploadNotFoundException"


async def test_a_layer_that_is_there_already_is_an_error_of_the_api_only(api, v2):
    assert (await v2.put_blob("team/app", b"data")).status == 201
    assert (await v2.put_blob("team/app", b"data")).status == 201
    repository = {"repositoryName": "team/app"}
    upload = {"uploadId": (await api.initiate_layer_upload(**repository))["uploadId"], **repository}
    await api.upload_layer_part(partFirstByte=0, partLastByte=3, layerPartBlob=b"data", **upload)
    code, _ = await api.error("complete_layer_upload", layerDigests=[digest_of(b"data")], **upload)
    assert code == "LayerAlreadyExistsException"


async def test_a_download_url_serves_a_layer_of_an_image(api, v2):
    pushed = small()
    await v2.push("team/app", pushed)
    answer = await api.get_download_url_for_layer(repositoryName="team/app", layerDigest=pushed.blobs[1].digest)
    reply = await v2("GET", answer["downloadUrl"], headers={"Authorization": None})
    assert reply.body == pushed.blobs[1].data


async def test_referrers_are_served_by_both_doors(api, v2):
    subject = small()
    sbom = gallery.artifact(subject)
    await v2.push("team/app", subject, "v1")
    reply = await v2.push("team/app", sbom)
    assert reply.headers["OCI-Subject"] == subject.digest
    asked = {"repositoryName": "team/app", "subjectId": {"imageDigest": subject.digest}}
    [row] = (await api.list_image_referrers(**asked))["referrers"]
    assert (row["digest"], row["artifactType"]) == (sbom.digest, "application/vnd.example.sbom")
    found = json.loads((await v2("GET", f"/v2/team/app/referrers/{subject.digest}")).body)
    assert [one["digest"] for one in found["manifests"]] == [sbom.digest]
    none = await v2("GET", f"/v2/team/app/referrers/{subject.digest}?artifactType=other")
    assert (json.loads(none.body)["manifests"], none.headers["OCI-Filters-Applied"]) == ([], "artifactType")
    filtered = await api.list_image_referrers(filter={"artifactTypes": ["other"]}, **asked)
    assert filtered["referrers"] == []


@pytest.mark.parametrize("make", [gallery.attested, gallery.zstd, gallery.foreign])
async def test_odd_images_are_taken(v2, make):
    pushed = make()
    assert (await v2.push("team/app", pushed, "odd")).status == 201
    assert (await v2("GET", "/v2/team/app/manifests/odd")).body == pushed.raw


async def test_a_schema_1_image_is_not_supported(v2):
    old = gallery.schema1()
    await v2.put_blob("team/app", old.blobs[0].data)
    assert (await v2.put_manifest("team/app", old, "v1")).refusal == (400, "UNSUPPORTED")


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"schemaVersion": 2}', b'{"layers": 7, "config": {}}'])
async def test_what_is_no_manifest_is_refused(v2, raw):
    headers = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    reply = await v2("PUT", "/v2/team/app/manifests/v1", data=raw, headers=headers)
    assert reply.refusal == (400, "UNSUPPORTED")


@pytest.mark.parametrize("path", ["/v2/_catalog", "/nothing"])
async def test_what_ecr_does_not_serve_is_not_found(v2, path):
    assert (await v2("GET", path)).status == 404


@pytest.mark.parametrize(("path", "status"), [("/v2/UPPER/tags/list", 400), ("/v2/team/app/manifests/a+b", 400)])
async def test_bad_names_and_tags_are_refused(v2, path, status):
    assert (await v2("GET", path)).status == status
