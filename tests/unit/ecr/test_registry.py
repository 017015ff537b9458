"""An ECR registry as its AWS API shows it: repositories, tags by the thousand, blobs by the hundred."""

import hashlib
import json

import pytest

from syncer.errors import AwsRefused, CorruptAtTarget, RepositoryMissing
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName, Tag
from syncer.settings.targets import Lifecycle, RepositorySettings, TagMutability

NGINX = RepositoryName("base/nginx")
LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = b"{}"


async def put_layer(api, data):
    name = str(NGINX)
    upload = (await api.of_repository("InitiateLayerUpload", "initiate_layer_upload", name))["uploadId"]
    part = {"uploadId": upload, "partFirstByte": 0, "partLastByte": len(data) - 1, "layerPartBlob": data}
    await api.of_repository("UploadLayerPart", "upload_layer_part", name, **part)
    digests = {"uploadId": upload, "layerDigests": [str(Digest.of(data))]}
    await api.of_repository("CompleteLayerUpload", "complete_layer_upload", name, **digests)
    return Descriptor(LAYER, Digest.of(data), len(data))


async def put_image(api, *tags):
    """An image of one config and no layers under each of `tags`; its digest."""
    config = await put_layer(api, CONFIG)
    described = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": str(config.digest), "size": 2}
    raw = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []})
    for tag in tags:
        await api.of_repository("PutImage", "put_image", str(NGINX), imageManifest=raw, imageTag=tag)
    return Digest.of(raw.encode())


def counted(region, operation):
    return sum(call.operation == operation for call in region.state.calls)


async def test_a_repository_is_created_once_as_the_file_describes_it(registry, api):
    settings = RepositorySettings(
        tag_mutability=TagMutability.IMMUTABLE, scan_on_push=True, lifecycle=Lifecycle(14, 50), tags=(("owner", "us"),)
    )
    ecr = registry(settings)
    assert [await ecr.prepare(NGINX), await ecr.prepare(NGINX)] == [True, False]
    (row,) = (await api.call("DescribeRepositories", "describe_repositories"))["repositories"]
    assert (row["imageTagMutability"], row["imageScanningConfiguration"]) == ("IMMUTABLE", {"scanOnPush": True})
    assert row["repositoryUri"].endswith(".amazonaws.com.cn/base/nginx")
    policy = await api.of_repository("GetLifecyclePolicy", "get_lifecycle_policy", str(NGINX))
    assert len(json.loads(policy["lifecyclePolicyText"])["rules"]) == 2


async def test_a_repository_that_another_made_first_is_no_error(registry, api):
    ecr = registry()
    await ecr.prepare(RepositoryName("base/other"))
    await api.of_repository("CreateRepository", "create_repository", str(NGINX))
    assert await ecr.prepare(NGINX) is False


async def test_without_leave_to_create_the_missing_repository_is_named(registry):
    with pytest.raises(RepositoryMissing, match="base/nginx"):
        await registry(RepositorySettings(create=False)).prepare(NGINX)


async def test_existing_repositories_cost_one_listing(registry, api, region):
    for name in ("aa", "bb", "cc"):
        await api.of_repository("CreateRepository", "create_repository", name)
    ecr = registry()
    assert [str(name) for name in await ecr.repositories()] == ["aa", "bb", "cc"]
    for name in ("aa", "bb", "cc"):
        await ecr.prepare(RepositoryName(name))
    assert counted(region, "DescribeRepositories") == 2


async def test_tags_of_a_missing_repository_are_an_error(registry):
    with pytest.raises(RepositoryMissing):
        await registry().target(NGINX).current([Tag("1")])


async def test_many_tags_come_in_one_sweep(registry, api, region):
    ecr = registry()
    await ecr.prepare(NGINX)
    tags = [f"v{number}" for number in range(40)]
    digest = await put_image(api, *tags)
    found = await ecr.target(NGINX).current([Tag("v7"), Tag("v39"), Tag("absent")])
    assert found == {Tag("v7"): digest, Tag("v39"): digest}
    assert len(await ecr.target(NGINX).tags()) == 40
    assert counted(region, "ListImages") == 2


async def test_blobs_are_asked_for_a_hundred_at_a_time(registry, api, region):
    ecr = registry()
    await ecr.prepare(NGINX)
    here = await put_layer(api, b"here")
    absent = [Descriptor(LAYER, Digest.of(b"%d" % number), 1) for number in range(249)]
    assert await ecr.target(NGINX).missing([here, *absent]) == absent
    assert counted(region, "BatchCheckLayerAvailability") == 3


async def test_a_blob_with_another_size_is_corrupt(registry, api):
    ecr = registry()
    await ecr.prepare(NGINX)
    here = await put_layer(api, b"here")
    with pytest.raises(CorruptAtTarget, match="4 bytes, not 5"):
        await ecr.target(NGINX).missing([Descriptor(LAYER, here.digest, 5)])


async def test_manifests_are_asked_for_a_hundred_at_a_time(registry, api, region):
    ecr = registry()
    await ecr.prepare(NGINX)
    here = Descriptor(MANIFEST, await put_image(api, "1"), 1)
    absent = [Descriptor(MANIFEST, Digest("sha256", hashlib.sha256(b"%d" % n).hexdigest()), 1) for n in range(120)]
    assert await ecr.target(NGINX).absent([*absent, here]) == absent
    assert counted(region, "BatchGetImage") == 2


async def test_a_name_that_ecr_does_not_allow_is_refused_before_it_is_sent(registry):
    with pytest.raises(AwsRefused, match="repositoryName"):
        await registry().prepare(RepositoryName("a"))
