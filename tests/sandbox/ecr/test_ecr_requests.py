"""ECR's API checks requests against the service model, and who signed them."""

import json

import aiohttp
import pytest
from ecr_clients import Api

from syncer.sandbox.ecr.names import service_model
from syncer.sandbox.ecr.shapes import ModelViolationError, check_answer

pytestmark = pytest.mark.usefixtures("team")

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/{region}/{service}/aws4_request, "
SIGNED += "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + "0" * 64
GOOD = SIGNED.format(region="cn-north-1", service="ecr")


async def _raw(region, operation, body, authorization=GOOD):
    """Status and JSON of a request that botocore would not send."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": operation if "." in operation else f"AmazonEC2ContainerRegistry_V20150921.{operation}",
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
        (".ListImages", {"repositoryName": "team/app"}, "UnknownOperationException", "no operation"),
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


def test_no_model_of_the_user_takes_the_place_of_botocores(monkeypatch, tmp_path):
    planted = tmp_path / "ecr" / "2099-01-01"
    planted.mkdir(parents=True)
    (planted / "service-2.json").write_text("{}")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert service_model.__wrapped__("ecr").api_version == "2015-09-21"
