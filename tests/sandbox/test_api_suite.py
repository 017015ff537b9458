"""One suite of protocol tests for the sandbox's plain registry and for a real docker-registry."""

from __future__ import annotations

import asyncio
import json

import pytest
import servers
from rawhttp import ask, push_blob, push_manifest, put_upload, sha256
from yarl import URL

from syncer.clock import SystemClock
from syncer.sandbox import images
from syncer.sandbox.documents import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from syncer.sandbox.server import Server
from syncer.sandbox.store import Store
from syncer.sandbox.v2 import Registry

IMAGES = {
    "oci": images.image("app", "1", ("linux/amd64", "linux/arm64")),
    "docker": images.image("app", "1", ("linux/amd64", "linux/arm64"), flavour=images.DOCKER),
}
BLOB = bytes(range(256)) * 300


@pytest.fixture(params=["sandbox", "docker-registry"])
async def base(request, tmp_path):
    """The URL of a registry that is empty."""
    if request.param == "sandbox":
        async with Server("plain", Registry(Store(SystemClock()))) as server:
            yield server.url
    else:
        with servers.docker_registry(tmp_path) as running:
            yield running.url


async def push(http, base: str, name: str, reference: str | None, image: images.Image) -> None:
    """Push children, blobs, and the manifest under a tag or its digest."""
    for child in image.children:
        await push(http, base, name, None, child)
    for blob in image.blobs:
        assert (await push_blob(http, base, name, blob.data)).status == 201
    url = f"{base}/v2/{name}/manifests/{reference or image.digest}"
    pushed = await push_manifest(http, url, image.raw, image.media_type)
    assert (pushed.status, pushed.headers["Docker-Content-Digest"]) == (201, image.digest)


def first_code(seen) -> str:
    return json.loads(seen.body)["errors"][0]["code"]


async def test_the_base_is_there(http, base):
    seen = await ask(http, "GET", f"{base}/v2/")
    assert (seen.status, seen.headers["Docker-Distribution-Api-Version"]) == (200, "registry/2.0")


@pytest.mark.parametrize("flavour", IMAGES)
async def test_what_was_pushed_is_pulled(http, base, flavour):
    image = IMAGES[flavour]
    await push(http, base, "team/app", "v1", image)
    by_tag = await ask(http, "GET", f"{base}/v2/team/app/manifests/v1")
    by_digest = await ask(http, "GET", f"{base}/v2/team/app/manifests/{image.digest}")
    assert by_tag.body == by_digest.body == image.raw
    assert by_tag.headers["Content-Type"] == image.media_type
    for blob in image.children[0].blobs:
        assert (await ask(http, "GET", f"{base}/v2/team/app/blobs/{blob.digest}")).body == blob.data


async def test_head_tells_digest_and_length_without_a_body(http, base):
    image = IMAGES["oci"]
    await push(http, base, "app", "v1", image)
    seen = await ask(http, "HEAD", f"{base}/v2/app/manifests/v1")
    assert (seen.status, seen.headers["Docker-Content-Digest"], seen.body) == (200, image.digest, b"")
    assert int(seen.headers["Content-Length"]) == len(image.raw)
    blob = image.children[0].blobs[0]
    seen = await ask(http, "HEAD", f"{base}/v2/app/blobs/{blob.digest}")
    assert (seen.status, int(seen.headers["Content-Length"])) == (200, blob.size)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=0-0", BLOB[:1]),
        ("bytes=100-199", BLOB[100:200]),
        ("bytes=70000-", BLOB[70000:]),
        ("bytes=-10", BLOB[-10:]),
    ],
)
async def test_ranges_of_a_blob(http, base, wanted, expected):
    await push_blob(http, base, "app", BLOB)
    seen = await ask(http, "GET", f"{base}/v2/app/blobs/{sha256(BLOB)}", headers={"Range": wanted})
    assert (seen.status, seen.body) == (206, expected)
    assert seen.headers["Content-Range"].endswith(f"/{len(BLOB)}")


async def test_a_range_beyond_the_end_is_416(http, base):
    await push_blob(http, base, "app", BLOB)
    url = f"{base}/v2/app/blobs/{sha256(BLOB)}"
    async with http.get(url, headers={"Range": f"bytes={len(BLOB)}-"}) as response:
        assert response.status == 416


async def test_a_blob_in_chunks(http, base):
    opened = await ask(http, "POST", f"{base}/v2/app/blobs/uploads/")
    assert opened.status == 202
    first = await ask(http, "PATCH", opened.headers["Location"], data=BLOB[:50_000])
    assert (first.status, first.headers["Range"]) == (202, "0-49999")
    second = await ask(http, "PATCH", first.headers["Location"], data=BLOB[50_000:])
    assert (await put_upload(http, second, sha256(BLOB), b"")).status == 201
    assert (await ask(http, "GET", f"{base}/v2/app/blobs/{sha256(BLOB)}")).body == BLOB


async def test_a_wrong_digest_is_refused_and_ends_the_session(http, base):
    opened = await ask(http, "POST", f"{base}/v2/app/blobs/uploads/")
    seen = await put_upload(http, opened, sha256(b"other"), b"this")
    assert (seen.status, first_code(seen)) == (400, "DIGEST_INVALID")
    assert (await put_upload(http, opened, sha256(b"this"), b"this")).status == 404
    assert (await ask(http, "HEAD", f"{base}/v2/app/blobs/{sha256(b'other')}")).status == 404


async def test_a_session_can_be_cancelled(http, base):
    opened = await ask(http, "POST", f"{base}/v2/app/blobs/uploads/")
    assert (await ask(http, "GET", opened.headers["Location"])).status == 204
    assert (await ask(http, "DELETE", opened.headers["Location"])).status == 204
    assert (await ask(http, "GET", opened.headers["Location"])).status == 404


async def test_a_put_that_is_cut_short_commits_nothing_and_ends_the_session(http, base):
    opened = await ask(http, "POST", f"{base}/v2/app/blobs/uploads/")
    where = URL(opened.headers["Location"]).update_query(digest=sha256(BLOB))
    _, writer = await asyncio.open_connection(where.host, where.port)
    head = f"PUT {where.raw_path_qs} HTTP/1.1\r\nHost: {where.authority}\r\nContent-Length: {len(BLOB)}\r\n\r\n"
    writer.write(head.encode() + BLOB[:-1])
    await writer.drain()
    writer.close()
    while (await ask(http, "GET", opened.headers["Location"])).status == 204:
        pass  # it has not noticed yet
    assert (await ask(http, "HEAD", f"{base}/v2/app/blobs/{sha256(BLOB)}")).status == 404
    assert (await put_upload(http, opened, sha256(BLOB), BLOB)).status == 404


async def test_an_empty_blob_is_a_blob(http, base):
    assert (await push_blob(http, base, "app", b"")).status == 201
    assert (await ask(http, "HEAD", f"{base}/v2/app/blobs/{sha256(b'')}")).headers["Content-Length"] == "0"


async def test_a_blob_is_mounted_from_where_it_is(http, base):
    await push_blob(http, base, "one", BLOB)
    seen = await ask(http, "POST", f"{base}/v2/two/blobs/uploads/?mount={sha256(BLOB)}&from=one")
    assert (seen.status, seen.headers["Docker-Content-Digest"]) == (201, sha256(BLOB))
    assert (await ask(http, "HEAD", f"{base}/v2/two/blobs/{sha256(BLOB)}")).status == 200


async def test_a_mount_of_what_is_not_there_opens_a_session(http, base):
    seen = await ask(http, "POST", f"{base}/v2/two/blobs/uploads/?mount={sha256(BLOB)}&from=one")
    assert seen.status == 202
    assert (await put_upload(http, seen, sha256(BLOB), BLOB)).status == 201


async def test_blobs_belong_to_their_repository(http, base):
    await push_blob(http, base, "one", BLOB)
    await push_blob(http, base, "two", b"something else")
    assert (await ask(http, "GET", f"{base}/v2/two/blobs/{sha256(BLOB)}")).status == 404


async def test_a_manifest_without_its_blobs_is_refused(http, base):
    child = IMAGES["oci"].children[0]
    await push_blob(http, base, "app", child.blobs[0].data)
    seen = await push_manifest(http, f"{base}/v2/app/manifests/v1", child.raw, child.media_type)
    assert (seen.status, first_code(seen)) == (400, "MANIFEST_BLOB_UNKNOWN")


@pytest.mark.parametrize("flavour", IMAGES)
async def test_an_index_without_its_children_is_refused(http, base, flavour):
    image = IMAGES[flavour]
    await push(http, base, "app", None, image.children[0])
    seen = await push_manifest(http, f"{base}/v2/app/manifests/v1", image.raw, image.media_type)
    assert (seen.status, first_code(seen)) == (400, "MANIFEST_BLOB_UNKNOWN")


@pytest.mark.parametrize("media_type", [DOCKER_MANIFEST, OCI_INDEX])
async def test_a_manifest_under_another_type_is_refused(http, base, media_type):
    child = IMAGES["oci"].children[0]
    await push(http, base, "app", None, child)
    seen = await push_manifest(http, f"{base}/v2/app/manifests/v1", child.raw, media_type)
    assert seen.status == 400


@pytest.mark.parametrize("raw", [b"", b"no json", b"[]"])
async def test_a_manifest_that_is_none_is_refused(http, base, raw):
    seen = await push_manifest(http, f"{base}/v2/app/manifests/v1", raw, OCI_MANIFEST)
    assert (seen.status, first_code(seen)) == (400, "MANIFEST_INVALID")


async def test_a_manifest_under_another_digest_is_refused(http, base):
    child = IMAGES["oci"].children[0]
    await push(http, base, "app", None, child)
    url = f"{base}/v2/app/manifests/{sha256(b'other')}"
    seen = await push_manifest(http, url, child.raw, child.media_type)
    assert (seen.status, first_code(seen)) == (400, "DIGEST_INVALID")


async def test_an_oci_manifest_is_not_found_without_its_type_accepted(http, base):
    await push(http, base, "app", "v1", IMAGES["oci"].children[0])
    seen = await ask(http, "GET", f"{base}/v2/app/manifests/v1", headers={"Accept": DOCKER_MANIFEST})
    assert (seen.status, first_code(seen)) == (404, "MANIFEST_UNKNOWN")


async def test_a_docker_list_becomes_its_amd64_manifest_for_old_clients(http, base):
    image = IMAGES["docker"]
    await push(http, base, "app", "v1", image)
    seen = await ask(http, "GET", f"{base}/v2/app/manifests/v1", headers={"Accept": DOCKER_MANIFEST})
    assert (seen.status, seen.digest) == (200, image.children[0].digest)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("app/manifests/none", "MANIFEST_UNKNOWN"),
        (f"app/manifests/{sha256(b'none')}", "MANIFEST_UNKNOWN"),
        (f"app/blobs/{sha256(b'none')}", "BLOB_UNKNOWN"),
        ("none/tags/list", "NAME_UNKNOWN"),
    ],
)
async def test_what_is_missing_is_404_with_its_code(http, base, path, code):
    await push(http, base, "app", "v1", IMAGES["oci"].children[0])
    seen = await ask(http, "GET", f"{base}/v2/{path}")
    assert (seen.status, first_code(seen)) == (404, code)


async def test_tags_and_catalog_list_what_was_pushed(http, base):
    child = IMAGES["oci"].children[0]
    for tag in ("v1", "v2"):
        await push(http, base, "team/app", tag, child)
    listed = json.loads((await ask(http, "GET", f"{base}/v2/team/app/tags/list")).body)
    assert (listed["name"], sorted(listed["tags"])) == ("team/app", ["v1", "v2"])
    catalog = json.loads((await ask(http, "GET", f"{base}/v2/_catalog")).body)
    assert catalog["repositories"] == ["team/app"]


async def test_a_manifest_is_deleted_by_digest_with_its_tags(http, base):
    child = IMAGES["oci"].children[0]
    await push(http, base, "app", "v1", child)
    assert (await ask(http, "DELETE", f"{base}/v2/app/manifests/v1")).status == 400
    assert (await ask(http, "DELETE", f"{base}/v2/app/manifests/{child.digest}")).status == 202
    assert (await ask(http, "GET", f"{base}/v2/app/manifests/v1")).status == 404


async def test_a_path_outside_the_protocol_is_404(http, base):
    assert (await ask(http, "GET", f"{base}/v2/app/nothing")).status == 404
