"""What is written to ECR: items of the fidelity list by their number (3, 4, 5, 8, 9)."""

import aiohttp
import pytest
from ecr_clients import EMPTY, small

from syncer.sandbox.actions import reset
from syncer.sandbox.documents import digest_of
from syncer.sandbox.faults import Fault
from syncer.sandbox.images import image

MISSING = "The repository with name 'team/none' does not exist in the registry with id '123456789012'"
HOST = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
MIB = 1024 * 1024

pytestmark = pytest.mark.usefixtures("team")


async def test_7_1_03_what_is_pushed_over_http_is_seen_by_the_api_byte_for_byte(api, v2):
    pushed = image("app", "v1")
    assert (await v2.push("team/app", pushed, "v1")).headers["Docker-Content-Digest"] == pushed.digest
    [got] = (await api.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}]))["images"]
    assert got["imageId"] == {"imageDigest": pushed.digest, "imageTag": "v1"}
    assert got["imageManifest"].encode() == pushed.raw
    rows = (await api.list_images(repositoryName="team/app"))["imageIds"]
    assert {"imageDigest": pushed.digest, "imageTag": "v1"} in rows
    assert len(rows) == 1 + len(pushed.children)
    details = (await api.describe_images(repositoryName="team/app"))["imageDetails"]
    assert {one["imageDigest"] for one in details} == {pushed.digest, *(child.digest for child in pushed.children)}


async def test_7_1_03_what_the_api_stores_is_served_over_http(api, v2):
    pushed = small()
    for blob in pushed.blobs:
        upload = (await api.initiate_layer_upload(repositoryName="team/app"))["uploadId"]
        span = {"partFirstByte": 0, "partLastByte": blob.size - 1, "layerPartBlob": blob.data}
        await api.upload_layer_part(repositoryName="team/app", uploadId=upload, **span)
        await api.complete_layer_upload(repositoryName="team/app", uploadId=upload, layerDigests=[blob.digest])
    await api.put_image(repositoryName="team/app", imageManifest=pushed.raw.decode(), imageTag="v1")
    reply = await v2("GET", "/v2/team/app/manifests/v1")
    assert (reply.body, reply.headers["Content-Type"]) == (pushed.raw, pushed.media_type)


@pytest.mark.parametrize("status", [400, 404])
async def test_7_1_04_a_manifest_without_its_layers_is_refused(region, api, v2, status):
    region.switches.incomplete_status = status
    lacking = small()
    reply = await v2.put_manifest("team/app", lacking, "v1")
    assert reply.refusal == (status, "BLOB_UPLOAD_UNKNOWN")
    named = ", ".join(blob.digest for blob in lacking.blobs)
    text = f"Layers with digests '[{named}]' required for pushing image into repository with name 'team/app'"
    assert text in reply.text
    code, message = await api.error("put_image", repositoryName="team/app", imageManifest=lacking.raw.decode())
    assert (code, text in message) == ("LayersNotFoundException", True)


async def test_7_1_04_an_index_without_its_children_is_refused(api, v2):
    whole = image("app", "v1")
    await v2.push("team/app", whole.children[0])
    reply = await v2.put_manifest("team/app", whole, "v1")
    assert reply.refusal == (404, "MANIFEST_BLOB_UNKNOWN")
    named = ", ".join(child.digest for child in whole.children[1:])
    assert f"Images with digests '[{named}]' required for pushing image into repository" in reply.text
    code, _ = await api.error("put_image", repositoryName="team/app", imageManifest=whole.raw.decode())
    assert code == "ReferencedImagesNotFoundException"
    assert (await api.list_images(repositoryName="team/app", filter={"tagStatus": "TAGGED"}))["imageIds"] == []


FILTERS = [{"filterType": "WILDCARD", "filter": "dev-*"}]


@pytest.mark.parametrize(
    ("mode", "filtered", "tag", "refused"),
    [
        ("MUTABLE", False, "v1", ""),
        ("IMMUTABLE", False, "v1", "repository"),
        ("IMMUTABLE_WITH_EXCLUSION", True, "v1", "tag"),
        ("IMMUTABLE_WITH_EXCLUSION", True, "dev-1", ""),
        ("MUTABLE_WITH_EXCLUSION", True, "dev-1", "tag"),
        ("MUTABLE_WITH_EXCLUSION", True, "v1", ""),
    ],
)
async def test_7_1_05_immutable_tags_do_not_move(api, v2, mode, filtered, tag, refused):
    excluded = {"imageTagMutabilityExclusionFilters": FILTERS} if filtered else {}
    await api.put_image_tag_mutability(repositoryName="team/app", imageTagMutability=mode, **excluded)
    await v2.push("team/app", small("one"), tag)
    reply = await v2.push("team/app", small("two"), tag)
    text = f"The image tag '{tag}' already exists in the 'team/app' repository and cannot be overwritten"
    assert reply.status == (400 if refused else 201)
    assert not refused or f"{text} because the {refused} is immutable." in reply.text
    assert not refused or reply.refusal == (400, "TAG_INVALID")


async def test_7_1_05_immutable_tag_refuses_the_same_digest_too(api, v2):
    await v2.push("team/app", small(), "v1")
    await api.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    assert (await v2.put_manifest("team/app", small(), "v1")).refusal == (400, "TAG_INVALID")
    assert (await v2.put_manifest("team/app", small())).status == 201
    put = {"repositoryName": "team/app", "imageManifest": small().raw.decode()}
    assert (await api.error("put_image", imageTag="v1", **put))[0] == "ImageTagAlreadyExistsException"


async def test_7_1_05_the_newer_text_can_be_had_for_every_mode(region, api, v2):
    region.switches.newer_immutable_text = True
    await api.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    await v2.push("team/app", small(), "v1")
    assert "because the tag is immutable." in (await v2.put_manifest("team/app", small(), "v1")).text


async def test_7_1_05_the_api_refuses_what_is_there_in_a_mutable_repository(api, v2):
    await v2.push("team/app", small(), "v1")
    assert (await v2.put_manifest("team/app", small(), "v1")).status == 201
    put = {"repositoryName": "team/app", "imageManifest": small().raw.decode()}
    assert (await api.error("put_image", imageTag="v1", **put))[0] == "ImageAlreadyExistsException"
    assert (await api.put_image(imageTag="v2", **put))["image"]["imageId"]["imageTag"] == "v2"


async def test_7_1_08_an_upload_in_one_put(v2, region):
    reply = await v2("POST", "/v2/team/app/blobs/uploads/")
    location = reply.headers["Location"]
    assert (reply.status, location.startswith(f"{region.plane.address}/v2/team/app/")) == (202, True)
    assert location.endswith(reply.headers["Docker-Upload-UUID"])
    put = await v2("PUT", f"{location}?digest={digest_of(b'data')}", data=b"data")
    assert (put.status, put.headers["Docker-Content-Digest"]) == (201, digest_of(b"data"))


async def test_7_1_08_parts_are_answered_with_201_and_a_stale_range(v2):
    data, location = bytes(5 * MIB) + b"tail", await v2.open("team/app")
    for first, last in ((0, 5 * MIB - 1), (5 * MIB, len(data) - 1)):
        part = data[first : last + 1]
        reply = await v2("PATCH", location, data=part, headers={"Content-Range": f"{first}-{last}"})
        assert (reply.status, reply.headers["Range"]) == (201, f"0-{5 * MIB - 1}")
    assert (await v2("PUT", f"{location}?digest={digest_of(data)}")).status == 201


async def test_7_1_08_only_the_last_part_may_be_small(v2):
    location = await v2.open("team/app")
    for first in (0, 4):
        await v2("PATCH", location, data=b"tiny", headers={"Content-Range": f"{first}-{first + 3}"})
    reply = await v2("PUT", f"{location}?digest={digest_of(b'tinytiny')}")
    assert reply.refusal == (400, "BLOB_UPLOAD_INVALID")
    assert "All layer parts except the last part should be at least 5MB" in reply.text


async def test_7_1_08_a_wrong_offset_is_416_and_a_session_cannot_be_rewound(v2):
    location = await v2.open("team/app")
    await v2("PATCH", location, data=b"0123", headers={"Content-Range": "0-3"})
    for first in (0, 8):
        reply = await v2("PATCH", location, data=b"0123", headers={"Content-Range": f"{first}-{first + 3}"})
        assert reply.refusal == (416, "BLOB_UPLOAD_INVALID")
        assert f"First byte of the layer part is {first} instead of 4" in reply.text


async def test_7_1_08_a_blob_without_bytes_cannot_be_stored(v2):
    location = await v2.open("team/app")
    reply = await v2("PUT", f"{location}?digest={EMPTY}", data=b"")
    upload = location.rpartition("/")[2]
    assert reply.refusal == (400, "BLOB_UPLOAD_INVALID")
    assert f"The upload with id '{upload}' in the repository with name 'team/app' in registry" in reply.text
    assert "cannot be completed because it does not have any parts" in reply.text


async def test_7_1_08_a_wrong_digest_is_refused_and_the_session_forgotten(v2):
    location = await v2.open("team/app")
    reply = await v2("PUT", f"{location}?digest={digest_of(b'other')}", data=b"data")
    assert reply.refusal == (400, "BLOB_UPLOAD_INVALID")
    assert "None of the provided layer digests match the calculated layer digest" in reply.text
    again = await v2("PUT", f"{location}?digest={digest_of(b'data')}", data=b"data")
    assert again.refusal == (404, "BLOB_UPLOAD_UNKNOWN")


async def test_7_1_08_a_post_with_the_whole_blob_opens_a_session_only(v2):
    reply = await v2("POST", f"/v2/team/app/blobs/uploads/?digest={digest_of(b'data')}", data=b"data")
    assert reply.status == 202
    assert (await v2("HEAD", f"/v2/team/app/blobs/{digest_of(b'data')}")).status == 404


async def test_7_1_08_a_connection_can_die_within_an_upload(v2, region):
    region.switches.reset_upload_after = MIB
    location = await v2.open("team/app")
    with pytest.raises(aiohttp.ClientError):
        await v2("PUT", f"{location}?digest={digest_of(bytes(8 * MIB))}", data=bytes(8 * MIB))
    assert (await v2("GET", location)).refusal == (404, "BLOB_UPLOAD_UNKNOWN")
    assert (await v2.put_blob("team/app", bytes(8 * MIB))).status == 201


async def test_7_1_08_a_chosen_upload_request_can_be_reset(v2, region):
    fault = region.plane.faults.add(Fault(reset(), method="PUT", path="uploads", after=1, times=1))
    assert (await v2.put_blob("team/app", b"one")).status == 201
    with pytest.raises(aiohttp.ClientError):
        await v2.put_blob("team/app", b"two")
    assert fault.fired == 1


async def test_7_1_09_an_unreferenced_blob_is_there_but_cannot_be_read(api, v2):
    await v2.put_blob("team/app", b"loose")
    digest = digest_of(b"loose")
    head = await v2("HEAD", f"/v2/team/app/blobs/{digest}")
    assert (head.status, head.headers["Content-Length"]) == (200, "5")
    assert (await v2("GET", f"/v2/team/app/blobs/{digest}")).refusal == (404, "BLOB_UNKNOWN")
    code, _ = await api.error("get_download_url_for_layer", repositoryName="team/app", layerDigest=digest)
    assert code == "LayerInaccessibleException"


@pytest.mark.parametrize("lacking", ["", "setting", "commit", "key"])
async def test_7_1_09_a_mount_is_granted_when_set_committed_and_encrypted_alike(api, v2, registry, lacking):
    await api.put_account_setting(name="BLOB_MOUNTING", value="DISABLED" if lacking == "setting" else "ENABLED")
    other = registry.create("other")
    if lacking == "key":
        other.encryption = {"encryptionType": "KMS", "kmsKey": "k"}
    pushed = small()
    await (v2.put_blob("team/app", pushed.blobs[0].data) if lacking == "commit" else v2.push("team/app", pushed))
    digest = pushed.blobs[0].digest
    reply = await v2("POST", f"/v2/other/blobs/uploads/?mount={digest}&from=team/app")
    assert reply.status == (202 if lacking else 201)
    assert (await v2("HEAD", f"/v2/other/blobs/{digest}")).status == (404 if lacking else 200)
