"""Images that other tools made, and other tools that read what syncer mirrored."""

from __future__ import annotations

import subprocess

import corpus
import engine
import pytest
from running import Syncer, one

IMAGES = {
    "app": corpus.platforms("app", "alpine"),
    "listed": corpus.docker_list("listed", "alpine"),
    "single": corpus.image([corpus.layer("single")], docker=True),
    "loose": corpus.image([corpus.layer("loose", media_type=corpus.OCI_LAYER)]),  # not compressed
    "sixty": corpus.image([corpus.layer(f"sixty {n}", 600) for n in range(60)]),
}


@pytest.fixture(scope="module")
def docker():
    with engine.docker_engine() as client:
        yield client


@pytest.fixture(scope="module")
def given(source, docker):
    """What the tools made, by repository, each under the tag v1."""
    door = corpus.Door(source.host)
    for name, image in IMAGES.items():
        door.push(name, image, "v1")
    app, made = f"docker://{source.host}/app:v1", f"docker://{source.host}/by-skopeo"
    skopeo(app, f"{made}/docker:v1", "--format=v2s2", "--override-arch=arm64")
    skopeo(app, f"{made}/oci:v1", "--format=oci", "--all")
    skopeo(f"docker://{source.host}/loose:v1", f"{made}/zstd:v1", "--dest-compress-format=zstd")
    make_by_engine(docker, f"{source.host}/by-engine")
    return [*IMAGES, "by-skopeo/docker", "by-skopeo/oci", "by-skopeo/zstd", "by-engine"]


def skopeo(source, destination, *options):
    """A copy that skopeo makes anew as far as `options` want it."""
    tls = [f"--{end}-tls-verify=false" for end, name in (("src", source), ("dest", destination)) if "docker://" in name]
    command = ["skopeo", "copy", "--insecure-policy", *tls, *options, source, destination]
    subprocess.run(command, check=True, capture_output=True)


def make_by_engine(docker, name):
    """An image of two layers, committed and pushed by the engine."""
    docker.api.import_image_from_data(corpus.tar_of("below", 9000), repository=name, tag="base", changes=["CMD /x"])
    container = docker.api.create_container(f"{name}:base")
    docker.api.put_archive(container, "/", corpus.tar_of("above", 9000))
    docker.api.commit(container, name, "v1")
    docker.api.remove_container(container)
    pushed = docker.images.push(name, "v1", stream=True, decode=True)
    assert not [line for line in pushed if "error" in line]


@pytest.fixture(scope="module")
def mirrored(source, target, given, tmp_path_factory):
    syncer = Syncer(tmp_path_factory.mktemp("user"))
    sections = one("", "", {"there": target.host})
    images = [{"source": f"{source.host}/{name}:v1", "target": f"m/{name}"} for name in given]
    syncer.write(**(sections | {"images": images}))
    ended = syncer.run("sync")
    assert ended.code == 0, ended.err
    return {name: corpus.Door(source.host).fetch(name, "v1") for name in given}


def test_all_of_them_arrive_as_they_are(target, mirrored):
    door = corpus.Door(target.host)
    assert {name: door.fetch(f"m/{name}", "v1").body for name in mirrored} == {n: a.body for n, a in mirrored.items()}


def test_skopeo_made_zstd_layers(mirrored):
    assert b"tar+zstd" in mirrored["by-skopeo/zstd"].body


@pytest.mark.parametrize("name", [*IMAGES, "by-skopeo/oci", "by-engine"])
def test_the_engine_pulls_by_tag_and_by_digest(target, mirrored, docker, name):
    remote, digest = f"{target.host}/m/{name}", corpus.digest_of(mirrored[name].body)
    by_tag = docker.images.pull(remote, tag="v1")
    assert f"{remote}@{digest}" in by_tag.attrs["RepoDigests"]
    assert docker.images.pull(f"{remote}@{digest}").id == by_tag.id


@pytest.mark.parametrize("name", [*IMAGES, "by-skopeo/docker", "by-skopeo/oci", "by-skopeo/zstd", "by-engine"])
def test_skopeo_copies_them_on(target, mirrored, tmp_path, name):
    skopeo(f"docker://{target.host}/m/{name}:v1", f"dir:{tmp_path}/copy", "--all", "--preserve-digests")
    assert (tmp_path / "copy/manifest.json").read_bytes() == mirrored[name].body
