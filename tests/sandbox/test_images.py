"""Images are deterministic, valid, and share what they should share."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rawhttp import sha256

from syncer.clock import SteppedClock
from syncer.sandbox import gallery, images
from syncer.sandbox.blobs import BigLayer, zstandard
from syncer.sandbox.store import MissingBlobsError, MissingManifestsError, Store

BIG = BigLayer(100_000)


def whole(blob) -> bytes:
    return b"".join(blob.chunks(0, blob.size))


def test_an_image_is_the_same_whenever_it_is_made():
    assert images.image("nginx", "1.27").raw == images.image("nginx", "1.27").raw
    assert images.image("nginx", "1.27").digest != images.image("nginx", "1.28").digest


def test_images_of_one_base_share_its_layer_and_tags_of_a_name_share_two():
    def layers(name: str, tag: str, base: str = "debian") -> set[str]:
        return {blob.digest for blob in images.image(name, tag, ("linux/amd64",), base=base).children[0].blobs[1:]}

    assert len(layers("nginx", "1.27") & layers("redis", "7")) == 1
    assert len(layers("nginx", "1.27") & layers("nginx", "1.28")) == 2
    assert not layers("nginx", "1.27") & layers("redis", "7", base="alpine")


@pytest.mark.parametrize("flavour", [images.OCI, images.DOCKER])
def test_configs_name_the_platform_and_the_layers_contents(flavour):
    made = images.image("app", "1", ("linux/arm/v7",), flavour=flavour).children[0]
    config = json.loads(whole(made.blobs[0]))
    assert (config["os"], config["architecture"], config["variant"]) == ("linux", "arm", "v7")
    assert config["rootfs"]["diff_ids"] == [sha256(gzip.decompress(blob.data)) for blob in made.blobs[1:]]


def test_a_big_layer_is_a_gzipped_tar_with_its_digest():
    data = whole(BIG)
    tar = gzip.decompress(data)
    assert (len(data), sha256(data), sha256(tar)) == (BIG.size, BIG.digest, BIG.diff_id)
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        assert opened.getnames() == ["big.bin"]


@given(st.integers(0, BIG.size), st.integers(0, BIG.size))
def test_a_big_layer_can_be_read_from_anywhere_to_anywhere(one, other):
    start, stop = sorted((one, other))
    assert b"".join(BIG.chunks(start, stop)) == whole(BIG)[start:stop]


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 256_000])
def test_a_zstd_frame_holds_its_bytes_in_raw_blocks(size):
    """RFC 8878, 3.1.1: magic, a header with the content's size, blocks whose last one says so."""
    data = (bytes(range(256)) * 1000)[:size]
    frame = io.BytesIO(zstandard(data))
    assert (frame.read(5), int.from_bytes(frame.read(8), "little")) == (b"\x28\xb5\x2f\xfd\xe0", size)
    found, last = b"", 0
    while not last:
        header = int.from_bytes(frame.read(3), "little")
        last, kind = header & 1, header >> 1 & 3
        assert kind == 0
        found += frame.read(header >> 3)
    assert (found, frame.read()) == (data, b"")


def test_a_store_takes_no_manifest_whose_parts_are_missing():
    repo = Store(SteppedClock()).create("app")
    index = images.image("app", "1")
    with pytest.raises(MissingManifestsError):
        repo.commit(index.raw, index.media_type, "v1")
    with pytest.raises(MissingBlobsError):
        repo.commit(index.children[0].raw, index.children[0].media_type)
    assert (repo.manifests, repo.tags) == ({}, {})


def test_a_fallback_index_describes_its_artifacts():
    subject = images.image("app", "1")
    about = gallery.artifact(subject)
    (described,) = json.loads(gallery.fallback([about]).raw)["manifests"]
    assert (described["digest"], described["artifactType"]) == (about.digest, "application/vnd.example.sbom")
    assert gallery.fallback_tag(subject) == f"sha256-{subject.digest[7:]}"


def test_a_store_knows_referrers_parents_and_references():
    store = Store(SteppedClock())
    index = images.image("app", "1")
    about = gallery.artifact(index)
    images.populate(store, "app", "v1", index)
    images.populate(store, "app", None, about)
    repo = store["app"]
    assert [item["digest"] for item in repo.referrers(index.digest)] == [about.digest]
    assert repo.parents(index.children[0].digest) == [index.digest]
    assert repo.is_referenced(index.children[0].blobs[0].digest)
    assert not repo.is_referenced(repo.put_blob(b"alone"))
