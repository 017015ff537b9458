"""Images and layers of ECR, through the API and `/v2/`."""

import json

import pytest
from botocore.exceptions import ClientError
from ecr_clients import small

from syncer.sandbox import gallery
from syncer.sandbox.documents import digest_of
from syncer.sandbox.images import image

pytestmark = pytest.mark.usefixtures("team")


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
