import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import MalformedManifest, UnsupportedManifest
from syncer.oci import media_types
from syncer.oci.digest import Digest
from syncer.oci.manifest import Index, Manifest, parse_manifest

ABSENT = object()


def entry(name, media_type=media_types.OCI_LAYER, **more):
    return {"mediaType": media_type, "digest": str(Digest.of(name.encode())), "size": len(name)} | more


def document(base, **members):
    kept = {key: value for key, value in (base | members).items() if value is not ABSENT}
    return json.dumps(kept).encode()


MANIFEST = {
    "schemaVersion": 2,
    "mediaType": media_types.OCI_MANIFEST,
    "config": entry("config", media_types.OCI_CONFIG),
    "layers": [entry("one"), entry("three")],
}
INDEX = {
    "schemaVersion": 2,
    "mediaType": media_types.OCI_INDEX,
    "manifests": [entry("amd64", media_types.OCI_MANIFEST), entry("arm", media_types.OCI_MANIFEST)],
}


def own(kind, base, *, valid, **members):
    return {"kind": kind, "text": document(base, **members).decode(), "valid": valid}


OWN_MANIFESTS = [
    own("manifest", MANIFEST, valid=True),
    own("manifest", MANIFEST, valid=True, subject=entry("s", media_types.OCI_MANIFEST), artifactType="a/b"),
    own("manifest", MANIFEST, valid=True, config=entry("{}", media_types.OCI_EMPTY), layers=[]),
    own("manifest", MANIFEST, valid=True, layers=None),
    own("manifest", MANIFEST, valid=True, layers=[entry("one"), entry("one")]),
    own("manifest", MANIFEST, valid=True, layers=[entry("")]),
    own("manifest", MANIFEST, valid=False, layers=[entry("one"), entry("one", size=4)]),
    own("manifest", MANIFEST, valid=False, layers=ABSENT),
    own("manifest", MANIFEST, valid=False, config=ABSENT),
    own("manifest", MANIFEST, valid=False, Layers=[]),
    own("manifest", MANIFEST, valid=False, Manifests=[]),
    own("manifest", MANIFEST, valid=False, manifests=[]),
    own("manifest", MANIFEST, valid=False, fsLayers=[]),
    own("manifest", MANIFEST, valid=False, schemaVersion=True),
    own("manifest", MANIFEST, valid=False, schemaVersion=3),
    own("manifest", MANIFEST, valid=False, mediaType=media_types.OCI_LAYER),
    own("manifest", MANIFEST, valid=False, mediaType=["a"]),
    own("manifest", MANIFEST, valid=False, annotations={"a": None}),
    own("manifest", MANIFEST, valid=False, layers=[entry("one", Digest=str(Digest.of(b"two")))]),
]
OWN_INDEXES = [
    own("index", INDEX, valid=True),
    own("index", INDEX, valid=True, manifests=[]),
    own("index", INDEX, valid=True, mediaType=media_types.DOCKER_LIST),
    own("index", INDEX, valid=False, manifests=ABSENT),
    own("index", INDEX, valid=False, manifests={}),
    own("index", INDEX, valid=False, config=MANIFEST["config"]),
    own("index", INDEX, valid=False, layers=[]),
    own("index", INDEX, valid=False, laYers=[]),
]


def expected(case):
    """Rules: sha256 and sha512 only, where the schema takes any algorithm; an image may be without layers."""
    odd_algorithm = any(f'"{name}' in case["text"] for name in ("sha256+", "sha256.", "multihash"))
    try:
        no_layers = json.loads(case["text"]).get("layers", ABSENT) == []
    except ValueError:
        no_layers = False
    return (case["valid"] and not odd_algorithm) or (no_layers and case["kind"] == "manifest")


@pytest.mark.table("oci_documents", own=OWN_MANIFESTS, where={"kind": "manifest"})
@pytest.mark.table("oci_documents", own=OWN_INDEXES, where={"kind": "index"})
def test_a_document_is_taken_whole_or_refused(case):
    raw = case["text"].encode()
    if not expected(case):
        with pytest.raises(MalformedManifest, match="the manifest is not valid"):
            parse_manifest(raw, None)
        return
    parsed = parse_manifest(raw, None)

    assert isinstance(parsed, Manifest if case["kind"] == "manifest" else Index)
    assert (parsed.raw, parsed.descriptor.size, parsed.descriptor.digest) == (raw, len(raw), Digest.of(raw))


def with_digest(kind, raw):
    return {"kind": kind, "text": raw.decode(), "digest": str(Digest.of(raw))}


WITH_DIGEST = [with_digest("manifest", document(MANIFEST)), with_digest("imageindex", document(INDEX))]
KINDS = {"manifest": Manifest, "imageindex": Index}


@pytest.mark.table("oci_documents_with_digest", own=WITH_DIGEST)
def test_a_document_keeps_the_digest_of_its_bytes(case):
    raw = case["text"].encode()
    assert str(Digest.of(raw)) == case["digest"]
    if case["kind"] in KINDS:  # a config is a blob: its digest is all that is known of it
        parsed = parse_manifest(raw, None)
        assert isinstance(parsed, KINDS[case["kind"]])
        assert str(parsed.descriptor.digest) == case["digest"]


def test_types_are_told_apart_by_the_fields_where_none_is_named():
    docker = document(MANIFEST, mediaType=ABSENT, config=entry("c", media_types.DOCKER_CONFIG))

    assert parse_manifest(document(MANIFEST, mediaType=ABSENT), None).descriptor.media_type == media_types.OCI_MANIFEST
    assert parse_manifest(docker, "application/json").descriptor.media_type == media_types.DOCKER_MANIFEST
    assert parse_manifest(document(INDEX, mediaType=""), None).descriptor.media_type == media_types.OCI_INDEX
    with pytest.raises(MalformedManifest, match="neither a type nor the fields"):
        parse_manifest(b'{"schemaVersion": 2}', None)


def test_a_named_type_holds_where_the_body_has_none():
    raw = document(INDEX, mediaType=ABSENT)

    assert parse_manifest(raw, f"{media_types.DOCKER_LIST}; v=1").descriptor.media_type == media_types.DOCKER_LIST
    with pytest.raises(MalformedManifest, match="a manifest must not have the field manifests"):
        parse_manifest(raw, media_types.OCI_MANIFEST)


def test_the_body_and_the_content_type_must_agree():
    with pytest.raises(MalformedManifest, match="was served as"):
        parse_manifest(document(MANIFEST), media_types.DOCKER_MANIFEST)
    assert parse_manifest(document(MANIFEST), "text/plain").descriptor.media_type == media_types.OCI_MANIFEST


@pytest.mark.parametrize("raw", [b'{"schemaVersion": 1}', b'{"schemaVersion": 1, "fsLayers": []}', document(MANIFEST)])
def test_schema_1_is_refused_by_name(raw):
    with pytest.raises(UnsupportedManifest, match="schema 1") as caught:
        parse_manifest(raw, media_types.DOCKER_SCHEMA1_SIGNED)
    assert "push it again" in caught.value.hint


def test_the_withdrawn_artifact_manifest_is_refused_by_name():
    with pytest.raises(UnsupportedManifest, match="artifact manifest"):
        parse_manifest(document({"mediaType": media_types.OCI_ARTIFACT}), None)


def test_blobs_are_the_config_and_each_layer_once_in_order():
    raw = document(MANIFEST, layers=[entry("one"), entry("two"), entry("one"), entry("config")])
    blobs = [(blob.digest, blob.media_type) for blob in parse_manifest(raw, None).blobs]

    assert blobs == [
        (Digest.of(b"config"), media_types.OCI_CONFIG),
        (Digest.of(b"one"), media_types.OCI_LAYER),
        (Digest.of(b"two"), media_types.OCI_LAYER),
    ]


def test_children_are_each_manifest_once_in_order():
    raw = document(INDEX, manifests=[*INDEX["manifests"], INDEX["manifests"][0]])
    index = parse_manifest(raw, None)

    assert len(index.manifests) == 3
    assert [child.digest for child in index.children] == [Digest.of(b"amd64"), Digest.of(b"arm")]


def test_an_artifact_keeps_its_subject_type_and_annotations():
    subject = entry("image", media_types.OCI_MANIFEST)
    parsed = parse_manifest(document(MANIFEST, subject=subject, artifactType="a/b", annotations={"k": "v"}), None)

    assert parsed.subject.digest == Digest.of(b"image")
    assert (parsed.artifact_type, parsed.annotations) == ("a/b", (("k", "v"),))


@pytest.mark.parametrize(("base", "key", "limit"), [(MANIFEST, "layers", 10_000), (INDEX, "manifests", 1_000)])
def test_lists_are_bounded(base, key, limit):
    item = entry("x", media_types.OCI_MANIFEST)

    assert parse_manifest(document(base, **{key: [item] * limit}), None)
    with pytest.raises(MalformedManifest, match=f"{limit + 1} entries"):
        parse_manifest(document(base, **{key: [item] * (limit + 1)}), None)


def test_the_digest_can_be_by_sha512():
    raw = document(MANIFEST)

    assert parse_manifest(raw, None, "sha512").descriptor.digest == Digest.of(raw, "sha512")


def test_duplicate_keys_are_refused():
    with pytest.raises(MalformedManifest, match="'layers' appears twice"):
        parse_manifest(document(MANIFEST)[:-1] + b', "layers": []}', None)


FILES = [
    {"text": document(MANIFEST).decode(), "guessed_media_type": media_types.OCI_MANIFEST},
    {"text": document(INDEX).decode(), "guessed_media_type": media_types.OCI_INDEX},
    {"text": "{}", "guessed_media_type": ""},
    {"text": '{"schemaVersion": 1}', "guessed_media_type": media_types.DOCKER_SCHEMA1},
    {"text": "[1]", "guessed_media_type": ""},
]
# The peer only guesses the type of these and would fail on what is inside, as we do.
UNSOUND = {
    "ociv1.artifact.json": "digest",
    "ociv1nomime.artifact.json": "digest",
    "ociv1.everything.json": "embedded data",
}


@pytest.mark.table("manifests/containers-image/_table", own=FILES)
def test_real_documents_are_recognised(case, tables_dir):
    raw, wanted = content(case, tables_dir), case["guessed_media_type"]
    assert str(Digest.of(raw)) == case.get("sha256_of_bytes", str(Digest.of(raw)))
    refusal = refusal_of(case, raw)
    if refusal:
        with pytest.raises(refusal, match=UNSOUND.get(case.get("file"), "manifest")):
            parse_manifest(raw, None)
        return
    parsed = parse_manifest(raw, None)
    assert parsed.descriptor.media_type == (wanted or parsed.descriptor.media_type)


def content(case, tables_dir):
    if "text" in case:
        return case["text"].encode()
    return (tables_dir / "manifests" / "containers-image" / case["file"]).read_bytes()


def refusal_of(case, raw):
    if case["guessed_media_type"] == "" or case.get("file") in UNSOUND:
        return MalformedManifest
    return UnsupportedManifest if json.loads(raw)["schemaVersion"] == 1 else None


NOISE = st.sampled_from(["schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "size", "Layers"])
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just([{}]) | st.just({})


@given(st.sampled_from([MANIFEST, INDEX]), st.dictionaries(NOISE, VALUES, max_size=3))
def test_any_document_is_a_manifest_or_one_of_our_errors(base, noise):
    raw = document(base, **noise)
    try:
        parsed = parse_manifest(raw, None)
    except (MalformedManifest, UnsupportedManifest):
        return
    assert parsed.raw == raw
