"""What is read from ECR over `/v2/`: items of the fidelity list by their number (1, 2, 6, 7, 11)."""

import base64
import re
from datetime import timedelta

import aiohttp
import pytest
from ecr_clients import EMPTY, small

from syncer.sandbox.actions import cut, flip
from syncer.sandbox.faults import Fault

MISSING = "The repository with name 'team/none' does not exist in the registry with id '123456789012'"
HOST = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
MIB = 1024 * 1024

pytestmark = pytest.mark.usefixtures("team")


@pytest.mark.parametrize("wrong", [None, "Basic QVdTOndyb25n", "Bearer x", "AWS4-HMAC-SHA256 Credential=x"])
@pytest.mark.parametrize("path", ["/v2/", "/v2/team/app/manifests/v1"])
async def test_7_1_01_without_a_good_token_the_challenge_comes_with_plain_text(v2, wrong, path):
    v2.authorization = wrong
    reply = await v2("GET", path)
    assert (reply.status, reply.body) == (401, b"Not Authorized\n")
    assert reply.headers["Www-Authenticate"] == f'Basic realm="https://{HOST}/",service="ecr.amazonaws.com"'
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


async def test_7_1_01_a_head_without_a_token_has_no_body(v2):
    v2.authorization = None
    reply = await v2("HEAD", "/v2/team/app/manifests/v1")
    assert (reply.status, reply.body) == (401, b"")


async def test_7_1_01_a_token_is_basic_for_the_user_aws_and_lives_twelve_hours(api, v2, clock):
    [data] = (await api.get_authorization_token())["authorizationData"]
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")
    assert data["expiresAt"] == clock.now() + timedelta(hours=12)
    assert (await v2("GET", "/v2/", f"Basic {data['authorizationToken']}")).status == 200


@pytest.mark.parametrize("status", [401, 403])
async def test_7_1_01_an_expired_token_is_denied_with_a_text(region, api, v2, clock, status):
    region.switches.token_life, region.switches.expired_status = 60, status
    token = (await api.get_authorization_token())["authorizationData"][0]["authorizationToken"]
    clock.advance(61)
    reply = await v2("GET", "/v2/", f"Basic {token}")
    assert reply.refusal == (status, "DENIED")
    assert "Your authorization token has expired. Reauthenticate and try again." in reply.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "manifests/v1"),
        ("GET", f"blobs/{EMPTY}"),
        ("GET", "tags/list"),
        ("POST", "blobs/uploads/"),
        ("GET", f"referrers/{EMPTY}"),
    ],
)
async def test_7_1_02_a_missing_repository_is_name_unknown(v2, method, path):
    reply = await v2(method, f"/v2/team/none/{path}")
    assert reply.refusal == (404, "NAME_UNKNOWN")
    assert MISSING in reply.text


async def test_7_1_02_a_post_to_a_missing_repository_may_get_no_answer(region, v2):
    region.switches.close_on_missing_repository = True
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await v2("POST", "/v2/team/none/blobs/uploads/")
    assert (await v2("GET", "/v2/team/none/tags/list")).status == 404


async def _redirected(v2):
    pushed = small()
    await v2.push("team/app", pushed, "v1")
    reply = await v2("GET", f"/v2/team/app/blobs/{pushed.blobs[1].digest}")
    assert reply.status == 307
    return pushed.blobs[1].data, reply.headers["Location"]


async def test_7_1_06_a_blob_is_redirected_to_another_host_that_serves_ranges(v2, region):
    data, url = await _redirected(v2)
    assert url.startswith(region.bucket.address)
    assert (await v2("GET", url, headers={"Authorization": None})).body == data
    part = await v2("GET", url, headers={"Authorization": None, "Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    beyond = await v2("GET", url, headers={"Authorization": None, "Range": f"bytes={len(data)}-"})
    assert (beyond.status, "InvalidRange" in beyond.text) == (416, True)


async def test_7_1_06_the_bucket_refuses_our_authorization(v2):
    _, url = await _redirected(v2)
    reply = await v2("GET", url)
    assert (reply.status, reply.headers["Content-Type"]) == (400, "application/xml")
    assert "Only one auth mechanism allowed" in reply.text


async def test_7_1_06_a_download_url_dies(v2, clock):
    _, url = await _redirected(v2)
    clock.advance(3601)
    reply = await v2("GET", url, headers={"Authorization": None})
    assert (reply.status, "<Message>Request has expired</Message>" in reply.text) == (403, True)
    forged = re.sub(r"Signature=\w+", "Signature=0", url)
    assert (await v2("GET", forged, headers={"Authorization": None})).status == 403


async def test_7_1_06_a_blob_can_be_cut_off_or_corrupted(v2, region):
    data, url = await _redirected(v2)
    region.bucket.faults.add(Fault(flip(3), times=1))
    fault = region.bucket.faults.add(Fault(cut(100)))
    body = (await v2("GET", url, headers={"Authorization": None})).body
    assert (len(body), body == data) == (len(data), False)
    with pytest.raises(aiohttp.ClientPayloadError):
        await v2("GET", url, headers={"Authorization": None})
    assert fault.fired == 1


async def test_7_1_07_only_head_says_the_digest(v2):
    pushed = small()
    await v2.push("team/app", pushed, "v1")
    for reference in ("v1", pushed.digest):
        got = await v2("GET", f"/v2/team/app/manifests/{reference}")
        head = await v2("HEAD", f"/v2/team/app/manifests/{reference}")
        assert "Docker-Content-Digest" not in got.headers
        assert head.headers["Docker-Content-Digest"] == pushed.digest
        assert (got.body, head.headers["Content-Length"]) == (pushed.raw, str(len(pushed.raw)))


async def test_7_1_11_tags_come_in_pages_of_100_in_no_order_with_opaque_links(v2, region, tagged):
    path, pages = "/v2/team/app/tags/list", []
    while path:
        reply = await v2("GET", path)
        assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
        pages.append(re.findall(r'"(v\d+)"', reply.text))
        path = (re.findall(r'^<(http[^>]+)>; rel="next"$', reply.headers.get("Link", "")) or [""])[0]
        assert not path or (path.startswith(region.plane.address) and len(path) > 150)
    found = [tag for page in pages for tag in page]
    assert [len(page) for page in pages] == [100, 100, 50]
    assert sorted(found) == tagged
    assert found != tagged


async def test_7_1_11_more_than_1000_a_page_is_an_error(v2, tagged):
    assert len(re.findall(r'"v\d+"', (await v2("GET", "/v2/team/app/tags/list?n=1000")).text)) == len(tagged)
    reply = await v2("GET", "/v2/team/app/tags/list?n=1001")
    assert reply.refusal == (400, "UNSUPPORTED")
    constraint = "'Member must have value less than or equal to 1000'"
    assert f"Invalid parameter at 'maxResults' failed to satisfy constraint: {constraint}" in reply.text


async def test_7_1_11_a_link_cannot_be_guessed(v2, tagged):
    assert (await v2("GET", f"/v2/team/app/tags/list?n=10&last={tagged[7]}")).refusal == (405, "UNSUPPORTED")
