"""The main job: fifty tags of twelve repositories from one docker-registry to another, and a look at what landed.

The first run is a fixture of the module; the tests look at what it did and left, and put back what they break.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import dataclass

import corpus
import pytest
from running import Log, Syncer, counted, without

IMAGES = corpus.corpus()
BLOBS = corpus.distinct_blobs(IMAGES)
TAGS = [(repository, tag, root) for repository, tags in IMAGES.items() for tag, root in tags.items()]
PLACED = {(r, blob.digest) for r, _, root in TAGS for each in corpus.everything(root) for blob in each.blobs}
MANIFESTS = {(r, each.digest) for r, _, root in TAGS for each in corpus.everything(root)}


@dataclass(frozen=True)
class World:
    """Two registries after the first run."""

    syncer: Syncer
    source: object
    target: object
    first: object
    asked: list[str]  # of the source, by the first run
    sent: list[str]  # to the target
    source_log: Log
    target_log: Log


@pytest.fixture(scope="module")
def world(source, target, tmp_path_factory):
    corpus.Door(source.host).push_corpus(IMAGES)
    syncer = Syncer(tmp_path_factory.mktemp("user"))
    syncer.write(
        targets={"there": {"registry": target.host}},
        defaults={"targets": ["there"], "target": "copy/{repository}"},
        images=[{"source": f"{source.host}/{name}", "tags": list(tags)} for name, tags in IMAGES.items()],
    )
    logs = Log(source), Log(target)
    first = syncer.run("sync")
    assert first.code == 0, first.err
    return World(syncer, source, target, first, logs[0].new(), logs[1].new(), *logs)


def test_fifty_tags_of_twelve_repositories_are_copied(world):
    assert world.first.report["totals"]["copied"] == len(TAGS) == 50
    assert len(IMAGES) == 12


def test_every_tag_and_every_child_has_the_bytes_of_the_source(world):
    there = corpus.Door(world.target.host)
    for repository, tag, root in TAGS:
        for name, each in [(tag, root), *((each.digest, each) for each in corpus.everything(root))]:
            answer = there.fetch(f"copy/{repository}", name)
            assert (answer.status, answer.body) == (200, each.data), (repository, name)
            assert answer.headers["content-type"] == each.media_type


def test_the_report_counts_the_bytes(world):
    totals = world.first.report["totals"]
    assert totals["bytes_moved"] == sum(len(blob.data) for blob in BLOBS.values())
    assert all(image["verified"] for image in world.first.report["images"])


def test_each_blob_is_read_once_from_the_source(world):
    reads = Counter(line.split()[1].rpartition("/")[2] for line in world.asked if "/blobs/" in line)
    assert reads == dict.fromkeys(BLOBS, 1)


def test_each_blob_is_uploaded_once_and_mounted_elsewhere(world):
    assert counted(world.sent, "PUT", path="/blobs/uploads/") == len(BLOBS)
    mounted = [line for line in world.sent if "mount=" in line and line.endswith("201")]
    assert len(mounted) == len(PLACED) - len(BLOBS)


def test_requests_at_the_target_keep_to_their_budget(world):
    """Per new blob 2.2 on average; per mount, manifest and tag 2."""
    others = len(PLACED) - len(BLOBS) + len(MANIFESTS) + len(TAGS)
    assert len(world.sent) <= 2.2 * len(BLOBS) + 2 * others


def test_a_second_run_writes_nothing(world):
    world.source_log.new(), world.target_log.new()
    second = world.syncer.run("sync")
    assert (second.code, second.report["totals"]["up_to_date"]) == (0, 50)
    assert second.report["totals"]["bytes_moved"] == 0
    asked, sent = world.source_log.new(), world.target_log.new()
    assert Counter(line.split()[0] for line in asked) == {"HEAD": 50}
    assert Counter(line.split()[0] for line in sent) == {"HEAD": 50}


def test_a_second_run_without_a_state_writes_nothing_either(world, tmp_path):
    world.target_log.new()
    fresh = Syncer(tmp_path)
    (tmp_path / "mirrors.yaml").write_text((world.syncer.home / "mirrors.yaml").read_text())
    assert fresh.run("sync").report["totals"]["up_to_date"] == 50
    assert counted(world.target_log.new(), "PUT", "POST", "PATCH") == 0


def test_skopeo_reads_every_image(world):
    for repository, tag, root in TAGS:
        command = [
            "skopeo",
            "inspect",
            "--raw",
            "--tls-verify=false",
            f"docker://{world.target.host}/copy/{repository}:{tag}",
        ]
        assert subprocess.run(command, capture_output=True, check=True).stdout == root.data


@pytest.mark.parametrize(
    "name", ["apps/api:1.0", "docker/listed:1.0", "docker/single:1.0", "deep/sixty:v0", "signed/app:v1"]
)
def test_skopeo_unpacks_whole_images(world, tmp_path, name):
    """Into Docker's archive form, for which it decompresses every layer."""
    source, archive = f"docker://{world.target.host}/copy/{name}", f"docker-archive:{tmp_path}/image.tar"
    subprocess.run(["skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", source, archive], check=True)


def test_skopeo_copies_whole_indexes(world, tmp_path):
    source = f"docker://{world.target.host}/copy/apps/api:1.0"
    options = ["--all", "--preserve-digests", "--insecure-policy", "--src-tls-verify=false"]
    subprocess.run(["skopeo", "copy", *options, source, f"oci:{tmp_path}/layout:it"], check=True)
    index = json.loads((tmp_path / "layout/index.json").read_text())
    assert index["manifests"][0]["digest"] == IMAGES["apps/api"]["1.0"].digest


def test_a_referrer_is_found_by_its_tag(world):
    signed = IMAGES["signed/app"]["v1"]
    listed = json.loads(corpus.Door(world.target.host).fetch("copy/signed/app", corpus.beside(signed)).body)
    (referrer,) = listed["manifests"]
    found = json.loads(corpus.Door(world.target.host).fetch("copy/signed/app", referrer["digest"]).body)
    assert found["subject"]["digest"] == signed.digest


# verify


def test_verify_finds_nothing_wrong_and_reads_no_blob(world):
    world.target_log.new()
    verified = world.syncer.run("verify")
    assert (verified.code, set(verified.statuses.values())) == (0, {"ok"})
    assert counted(world.target_log.new(), "GET", path="/blobs/") == 0


def test_a_deep_verify_reads_every_blob_of_every_repository(world):
    world.target_log.new()
    verified = world.syncer.run("verify", "--deep")
    assert (verified.code, set(verified.statuses.values())) == (0, {"ok"})
    read = {line.split()[1] for line in world.target_log.new() if line.startswith("GET") and "/blobs/" in line}
    assert read == {f"/v2/copy/{repository}/blobs/{digest}" for repository, digest in PLACED}


TOP = IMAGES["apps/api"]["1.3"].children[0].blobs[-1].digest  # a layer of nothing else
ONLY = ("--only", "*/apps/api*")


@pytest.mark.parametrize("depth", [[], ["--deep"]], ids=["shallow", "deep"])
def test_a_removed_blob_is_found(world, depth):
    with without(world.target, TOP) as path:
        path.unlink()
        verified = world.syncer.run("verify", *depth, *ONLY)
    assert verified.code == 5
    assert _not_ok(verified) == {"copy/apps/api:1.3": "missing"}
    assert TOP in verified.out


def test_an_altered_blob_is_found_by_reading_it(world):
    with without(world.target, TOP) as path:
        path.write_bytes(b"x" + path.read_bytes()[1:])
        shallow, deep = world.syncer.run("verify", *ONLY), world.syncer.run("verify", "--deep", *ONLY)
    assert (shallow.code, deep.code) == (0, 4)
    assert _not_ok(deep) == {"copy/apps/api:1.3": "corrupt"}


@pytest.mark.parametrize("depth", [[], ["--deep"]], ids=["shallow", "deep"])
def test_a_truncated_blob_is_found(world, depth):
    with without(world.target, TOP) as path:
        path.write_bytes(path.read_bytes()[:-100])
        verified = world.syncer.run("verify", *depth, *ONLY)
    assert verified.code in (4, 5)
    assert list(_not_ok(verified)) == ["copy/apps/api:1.3"]


def test_an_altered_manifest_is_found(world):
    child = IMAGES["apps/api"]["1.3"].children[0]
    with without(world.target, child.digest) as path:
        path.write_bytes(child.data.replace(b"rootfs", b"rootfz", 1).replace(b"layers", b"layerz", 1))
        verified = world.syncer.run("verify", *ONLY)
    assert verified.code == 4
    assert _not_ok(verified) == {"copy/apps/api:1.3": "corrupt"}


def test_a_removed_manifest_is_found(world):
    child = IMAGES["apps/api"]["1.3"].children[0]
    with without(world.target, child.digest) as path:
        path.unlink()
        verified = world.syncer.run("verify", *ONLY)
    assert verified.code == 5
    assert _not_ok(verified) == {"copy/apps/api:1.3": "missing"}


def _not_ok(verified):
    return {target: status for target, status in verified.statuses.items() if status != "ok"}
