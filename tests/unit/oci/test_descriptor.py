import base64
import json

import pytest

from syncer.oci import media_types
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.platform import Platform

DIGEST = Digest.of(b"hello")
PLAIN = {"mediaType": media_types.OCI_LAYER, "digest": str(DIGEST), "size": 5}


def case(*, valid, **members):
    kept = {key: value for key, value in (PLAIN | members).items() if value is not ...}
    return {"kind": "descriptor", "text": json.dumps(kept), "valid": valid}


OWN = [
    case(valid=True),
    case(valid=True, size=0, digest=str(Digest.of(b""))),
    case(valid=False, size=0),
    case(valid=True, size=2**63 - 1),
    case(valid=True, data=base64.b64encode(b"hello").decode()),
    case(valid=True, artifactType=""),
    case(valid=False, size=2**63),
    case(valid=False, size=-1),
    case(valid=False, size=True),
    case(valid=False, size=5.0),
    case(valid=False, size="5"),
    case(valid=False, size=...),
    case(valid=False, digest=...),
    case(valid=False, mediaType=...),
    case(valid=False, digest="sha256:../../x"),
    case(valid=False, mediaType="a/b; charset=utf-8"),
    case(valid=False, Size=6),
    case(valid=False, data=base64.b64encode(b"hullo").decode()),
    case(valid=False, data="aGVsbG8"),
    case(valid=False, data=7),
    case(valid=False, urls=["no url"]),
    case(valid=False, urls="https://a"),
    case(valid=False, annotations={"a": 1}),
]


def expected(case):
    """Rule: sha256 and sha512 only; the schema allows any algorithm that looks like one."""
    algorithm, _, _ = json.loads(case["text"]).get("digest", "").partition(":")
    return case["valid"] and algorithm in ("sha256", "sha512")


@pytest.mark.table("oci_documents", own=OWN, where={"kind": "descriptor"})
def test_a_descriptor_is_taken_whole_or_refused(case):
    value = json.loads(case["text"])
    if not expected(case):
        with pytest.raises(ValueError, match=r"^descriptor: "):
            Descriptor.from_json(value)
        return
    descriptor = Descriptor.from_json(value)

    assert (descriptor.size, str(descriptor.digest)) == (value["size"], value["digest"])


def test_a_descriptor_keeps_every_member():
    members = PLAIN | {
        "urls": ["https://a.example/x"],
        "annotations": {"k": "v", "j": "w"},
        "platform": {"architecture": "arm", "os": "linux", "variant": "v7"},
        "artifactType": "application/vnd.example",
    }
    descriptor = Descriptor.from_json(members)

    assert descriptor.to_json() == members
    assert descriptor.platform == Platform("linux", "arm", "v7")
    assert len({descriptor, Descriptor.from_json(members)}) == 1


def test_the_faulty_descriptor_is_named():
    with pytest.raises(ValueError, match=r"^layers\[3\]: size"):
        Descriptor.from_json(PLAIN | {"size": -1}, "layers[3]")


@pytest.mark.parametrize(
    ("media_type", "urls", "foreign"),
    [
        (media_types.OCI_LAYER, (), False),
        (media_types.OCI_LAYER, ("https://a.example/x",), True),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", (), True),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", (), True),
    ],
)
def test_a_layer_that_lives_elsewhere_is_foreign(media_type, urls, foreign):
    assert Descriptor(media_type, DIGEST, 5, urls=urls).foreign is foreign


def test_no_descriptor_is_made_without_validation():
    with pytest.raises(ValueError, match="size"):
        Descriptor(media_types.OCI_LAYER, DIGEST, True)  # noqa: FBT003 -- that a bool is no size is the point
    with pytest.raises(ValueError, match="media type"):
        Descriptor("text", DIGEST, 5)


def test_a_content_type_is_compared_without_its_parameters():
    assert media_types.without_parameters("Application/JSON ; charset=utf-8") == "application/json"


def test_the_obsolete_types_are_asked_for_last():
    assert media_types.ACCEPT[-2:] == (media_types.DOCKER_SCHEMA1_SIGNED, media_types.DOCKER_SCHEMA1)
    assert set(media_types.ACCEPT[:-2]) == media_types.MANIFESTS | media_types.INDEXES
