import json

import pytest

from syncer.errors import PlatformMissing
from syncer.oci import media_types
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.manifest import parse_manifest
from syncer.oci.platform import Platform
from syncer.oci.rewrite import cut_down, fallback_tag, missing_platforms, referrers_index

AMD64, ARMV7, S390X = (Platform.parse(text) for text in ("linux/amd64", "linux/arm/v7", "linux/s390x"))


def child(name, platform, **more):
    system, architecture, *variant = platform.split("/")
    members = {"architecture": architecture, "os": system} | ({"variant": variant[0]} if variant else {})
    digest = str(Digest.of(name.encode()))
    return {"mediaType": media_types.OCI_MANIFEST, "digest": digest, "size": 9, "platform": members} | more


def attestation(name, of):
    about = {"vnd.docker.reference.digest": of["digest"], "vnd.docker.reference.type": "attestation-manifest"}
    return child(name, "unknown/unknown", annotations=about)


AMD, ARM6, ARM7 = child("a", "linux/amd64"), child("b", "linux/arm/v6"), child("c", "linux/arm/v7", x={"é": [1, 2.5]})
ABOUT_AMD, ABOUT_ARM6, ABOUT_ARM7 = attestation("d", AMD), attestation("e", ARM6), attestation("f", ARM7)
ALL = [AMD, ARM6, ARM7, ABOUT_AMD, ABOUT_ARM6, ABOUT_ARM7]


def index_of(*entries, media_type=media_types.OCI_INDEX, **more):
    members = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries, **more}
    return parse_manifest(json.dumps(members, indent=3).encode(), media_type)


def entries_of(index):
    return json.loads(index.raw)["manifests"]


@pytest.mark.parametrize("media_type", sorted(media_types.INDEXES))
def test_exactly_the_wanted_platforms_and_their_attestations_stay(media_type):
    smaller = cut_down(index_of(*ALL, media_type=media_type), [ARMV7])

    assert entries_of(smaller) == [ARM7, ABOUT_ARM7]
    assert smaller.descriptor.media_type == media_type


def test_the_order_is_that_of_the_original():
    assert entries_of(cut_down(index_of(*ALL), [ARMV7, AMD64])) == [AMD, ARM7, ABOUT_AMD, ABOUT_ARM7]


def test_an_index_of_which_nothing_is_dropped_stays_as_it_is():
    index = index_of(AMD, ABOUT_AMD)

    assert cut_down(index, [AMD64]) is index


def test_a_smaller_index_is_the_same_every_time():
    first, second = (cut_down(index_of(*ALL), [AMD64]) for _ in range(2))

    assert first == second
    assert first.descriptor.digest == Digest.of(first.raw)
    assert first.descriptor.size == len(first.raw)


def test_all_other_fields_stay():
    subject = {"mediaType": media_types.OCI_INDEX, "digest": str(Digest.of(b"s")), "size": 1}
    index = index_of(*ALL, annotations={"k": "v"}, subject=subject, artifactType="a/b", other=[1])
    smaller = cut_down(index, [AMD64])

    assert json.loads(smaller.raw) == json.loads(index.raw) | {"manifests": [AMD, ABOUT_AMD]}
    assert (smaller.annotations, smaller.artifact_type) == ((("k", "v"),), "a/b")
    assert smaller.subject == index.subject


def test_an_index_without_a_type_keeps_the_one_it_was_served_with():
    raw = json.dumps({"schemaVersion": 2, "manifests": ALL}).encode()
    smaller = cut_down(parse_manifest(raw, media_types.DOCKER_LIST, "sha512"), [AMD64])

    assert smaller.descriptor.media_type == media_types.DOCKER_LIST
    assert smaller.descriptor.digest == Digest.of(smaller.raw, "sha512")


def test_an_entry_without_a_platform_is_not_one_of_them():
    bare = {key: value for key, value in AMD.items() if key != "platform"} | {"digest": str(Digest.of(b"bare"))}

    assert entries_of(cut_down(index_of(bare, AMD), [AMD64])) == [AMD]


def test_one_image_for_two_platforms_stays_for_the_wanted_one():
    shared = child("c", "linux/arm/v6")

    assert entries_of(cut_down(index_of(shared, ARM7), [ARMV7])) == [ARM7]


def test_a_platform_that_is_not_there_is_an_error_that_names_those_that_are():
    with pytest.raises(PlatformMissing) as caught:
        cut_down(index_of(*ALL), [AMD64, S390X])
    assert str(caught.value) == (
        "the image does not exist for linux/s390x; it exists for linux/amd64, linux/arm/v6, linux/arm/v7"
    )


def test_an_index_without_platforms_says_so():
    with pytest.raises(PlatformMissing, match="no platform that its index names"):
        cut_down(index_of(), [AMD64])


def test_missing_platforms_are_those_without_a_child():
    assert missing_platforms(index_of(*ALL), [AMD64, S390X]) == [S390X]


def test_a_referrers_index_keeps_the_type_and_annotations_of_each():
    signature = Descriptor(
        media_types.OCI_MANIFEST, Digest.of(b"sig"), 3, annotations=(("k", "v"),), artifact_type="a/signature"
    )
    sbom = Descriptor(media_types.OCI_MANIFEST, Digest.of(b"sbom"), 4, artifact_type="a/sbom")
    index = referrers_index([signature, sbom])

    assert index.manifests == (signature, sbom)
    assert index.descriptor.media_type == media_types.OCI_INDEX
    assert referrers_index([]).manifests == ()


def test_the_fallback_tag_is_the_digest_with_a_dash():
    assert str(fallback_tag(Digest.of(b"x"))) == f"sha256-{Digest.of(b'x').encoded}"
    assert str(fallback_tag(Digest.of(b"x", "sha512"))) == f"sha512-{Digest.of(b'x', 'sha512').encoded[:64]}"
