"""A client that this project did not write reads from the sandbox and writes to it."""

from __future__ import annotations

import asyncio
import json
import tarfile

import pytest
import servers
from rawhttp import sha256

from syncer.sandbox import gallery, images


async def skopeo(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec("skopeo", *arguments, stdout=-1, stderr=-1)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def copy(source: str, target: str, *options: str) -> None:
    await skopeo(
        "copy", "--insecure-policy", "--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false",
        *options, f"docker://{source}", f"docker://{target}",
    )  # fmt: skip


@pytest.fixture
async def plain(world):
    """A plain registry of the sandbox: its host and port, and its store."""
    made = await world.add_registry("https://registry.example.test")
    return made.server.address.removeprefix("http://"), made.store


KINDS = {
    "index": lambda: images.image("app", "1"),
    "docker list": lambda: images.image("app", "1", flavour=images.DOCKER),
    "attested": gallery.attested,
    "zstd": gallery.zstd,
    "foreign": gallery.foreign,
    "repeated": gallery.repeated,
    "tall": gallery.tall,
    "big": lambda: gallery.big(8_000_000),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_it_copies_within_the_sandbox(plain, kind):
    host, store = plain
    digest = images.populate(store, "source/app", "v1", KINDS[kind]())
    await copy(f"{host}/source/app:v1", f"{host}/copy/app:v1")
    assert store["copy/app"].tags == {"v1": digest}


async def test_it_pulls_from_docker_hub_with_token_and_cdn(world, plain):
    host, store = plain
    hub = world.hub.server.address.removeprefix("http://")
    await copy(f"{hub}/library/nginx:1.27", f"{host}/nginx:1.27")
    assert store["nginx"].tags["1.27"] == world.hub.store["library/nginx"].tags["1.27"]
    assert world.log.count("hub-cdn", "GET") > 0


async def test_it_pushes_with_a_password_that_buys_a_token(world):
    made = await world.add_registry("https://registry.example.test")
    made.ask_for_tokens({"alice": "secret"})
    digest = images.populate(made.store, "app", "v1", images.image("app", "1"))
    host = made.server.address.removeprefix("http://")
    await copy(f"{host}/app:v1", f"{host}/copy:v1", "--src-no-creds", "--dest-creds", "alice:secret")
    assert made.store["copy"].tags == {"v1": digest}


async def test_it_copies_from_the_sandbox_to_docker_registry_and_back(plain, tmp_path):
    host, store = plain
    digest = images.populate(store, "app", "v1", images.image("app", "1"))
    with servers.docker_registry(tmp_path) as real:
        await copy(f"{host}/app:v1", f"{real.host}/app:v1")
        await copy(f"{real.host}/app:v1", f"{host}/back:v1")
    assert store["back"].tags == {"v1": digest}


@pytest.mark.parametrize("kind", ["index", "docker list", "tall", "big"])
async def test_it_unpacks_every_layer_to_its_diff_id(plain, tmp_path, kind):
    """Writing a docker-archive decompresses the layers and looks at their digests."""
    host, store = plain
    images.populate(store, "app", "v1", KINDS[kind]())
    archive = f"docker-archive:{tmp_path / 'app.tar'}"
    await skopeo("copy", "--insecure-policy", "--src-tls-verify=false", f"docker://{host}/app:v1", archive)
    with tarfile.open(tmp_path / "app.tar") as tar:
        (entry,) = json.load(tar.extractfile("manifest.json"))
        config = json.load(tar.extractfile(entry["Config"]))
        unpacked = [sha256(tar.extractfile(name).read()) for name in entry["Layers"]]
    assert unpacked == config["rootfs"]["diff_ids"]


async def test_it_lists_and_inspects(plain):
    host, store = plain
    images.populate(store, "app", "v1", images.image("app", "1"))
    listed = json.loads(await skopeo("list-tags", "--tls-verify=false", f"docker://{host}/app"))
    assert listed["Tags"] == ["v1"]
    config = await skopeo("inspect", "--config", "--tls-verify=false", f"docker://{host}/app:v1")
    assert json.loads(config)["architecture"] == "amd64"
