"""Programs that this project did not write: the AWS CLI and skopeo agree about what is in ECR."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from pathlib import Path

import pytest

from syncer.sandbox import gallery, images
from syncer.sandbox.world import World

CREATE = ("create-repository", "--repository-name", "team/app", "--image-tag-mutability", "IMMUTABLE")


async def _run(*command, env=None):
    process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1, env=env)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.fixture
async def world():
    async with World(public=False) as made:
        await made.add_region("cn-north-1")
        yield made


@pytest.fixture
def aws(world, tmp_path):
    """The AWS CLI with keys of its own and nothing of the user's; answers parsed JSON."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    keys = {"AWS_ACCESS_KEY_ID": "AKIACLI", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "cn-north-1"}
    files = {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    env = {**kept, **keys, **files, "AWS_PAGER": "", "NO_PROXY": "127.0.0.1", "HOME": str(tmp_path)}
    program = str(Path(sys.executable).with_name("aws"))

    async def run(*arguments):
        url = world.regions["cn-north-1"].api.address
        return json.loads(await _run(program, "--endpoint-url", url, "--output", "json", "ecr", *arguments, env=env))

    return run


async def _copy(world, source, target, password, *options):
    host = world.regions["cn-north-1"].plane.address.removeprefix("http://")
    await _run(
        "skopeo", "copy", "--insecure-policy", "--all", "--preserve-digests", "--src-tls-verify=false",
        "--dest-tls-verify=false", "--src-no-creds", "--dest-creds", f"AWS:{password}", *options,
        f"docker://{source}", f"docker://{host}/{target}",
    )  # fmt: skip


async def test_the_cli_and_skopeo_agree(world, aws):
    source = await world.add_registry("https://registry.example.test")
    digest = images.populate(source.store, "app", "v1", images.image("app", "v1"))
    created = (await aws(*CREATE))["repository"]
    assert created["repositoryUri"] == "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app"
    assert (await aws("describe-repositories"))["repositories"] == [created]
    token = (await aws("get-authorization-token"))["authorizationData"][0]["authorizationToken"]
    password = base64.b64decode(token).decode().removeprefix("AWS:")
    await _copy(world, f"{source.server.address.removeprefix('http://')}/app:v1", "team/app:v1", password)
    listed = await aws("list-images", "--repository-name", "team/app", "--filter", "tagStatus=TAGGED")
    assert listed["imageIds"] == [{"imageDigest": digest, "imageTag": "v1"}]
    got = await aws("batch-get-image", "--repository-name", "team/app", "--image-ids", "imageTag=v1")
    assert got["images"][0]["imageManifest"].encode() == source.store["app"].find("v1").raw
    details = await aws("describe-images", "--repository-name", "team/app", "--image-ids", "imageTag=v1")
    assert details["imageDetails"][0]["imageTags"] == ["v1"]


@pytest.mark.parametrize("make", [gallery.attested, gallery.zstd, gallery.repeated, gallery.tall])
async def test_skopeo_writes_and_reads_back_what_it_wrote(world, make):
    region = world.regions["cn-north-1"]
    source = await world.add_registry("https://registry.example.test")
    digest = images.populate(source.store, "app", "v1", make())
    region.switches.quota_factor = 100
    region.registry.create("team/app")
    password = region.state.tokens.mint("AKIATEST").password
    plain = source.server.address.removeprefix("http://")
    await _copy(world, f"{plain}/app:v1", "team/app:v1", password)
    assert region.registry.store["team/app"].tags == {"v1": digest}
    ecr = region.plane.address.removeprefix("http://")
    command = ["skopeo", "copy", "--insecure-policy", "--all", "--preserve-digests", "--src-tls-verify=false"]
    options = ["--dest-tls-verify=false", "--dest-no-creds", "--src-creds", f"AWS:{password}"]
    await _run(*command, *options, f"docker://{ecr}/team/app:v1", f"docker://{plain}/back:v1")
    assert source.store["back"].tags == {"v1": digest}
