"""Images as odd as those that real registries hold (one function each)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from syncer.sandbox import documents
from syncer.sandbox.blobs import BigLayer, Bytes, zstandard
from syncer.sandbox.documents import digest_of
from syncer.sandbox.images import OCI, Image, Layer, encode, index, layer, platform_of, single, tarball

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

UNKNOWN = {"os": "unknown", "architecture": "unknown"}


def attested(name: str = "attested") -> Image:
    """An index whose children come with BuildKit's attestations, as `unknown/unknown` children."""
    children: list[tuple[Image, dict[str, Any]]] = []
    for platform in ("linux/amd64", "linux/arm64"):
        child = single(platform, [layer(f"{name} {platform}", 8_000)])
        notes = {"vnd.docker.reference.digest": child.digest, "vnd.docker.reference.type": "attestation-manifest"}
        children += [
            (child, {"platform": platform_of(platform)}),
            (_attestation(f"{name} {platform}"), {"platform": UNKNOWN, "annotations": notes}),
        ]
    return index(children)


def schema1(name: str = "old") -> Image:
    """An image that exists as Docker schema 1 only."""
    blob = layer(f"{name} schema1", 4_000).blob
    document = {
        "schemaVersion": 1,
        "name": f"library/{name}",
        "tag": "latest",
        "architecture": "amd64",
        "fsLayers": [{"blobSum": blob.digest}],
        "history": [{"v1Compatibility": '{"id":"' + "0" * 64 + '"}'}],
        "signatures": [],
    }
    return Image(documents.SCHEMA1_SIGNED, encode(document), (blob,))


def zstd(name: str = "zstd") -> Image:
    """An image with a zstd layer."""
    tar = tarball(name, 20_000)
    packed = Layer(Bytes(zstandard(tar)), digest_of(tar), documents.OCI_LAYER + "+zstd")
    return single("linux/amd64", [layer(f"{name} base", 4_000), packed])


def foreign(name: str = "windows") -> Image:
    """An image with a layer that lies elsewhere and in no registry."""
    away = layer(f"{name} away", 4_000)
    base = Layer(away.blob, away.diff_id, documents.DOCKER_FOREIGN, ("https://mcr.example.test/layer",))
    return single("windows/amd64", [base, layer(f"{name} app", 4_000)])


def artifact(subject: Image, artifact_type: str = "application/vnd.example.sbom") -> Image:
    """An OCI 1.1 artifact about `subject`, with the empty config."""
    empty, content = Bytes(b"{}"), Bytes(encode({"about": subject.digest}))
    document = {
        "schemaVersion": 2,
        "mediaType": documents.OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": {"mediaType": documents.OCI_EMPTY, "digest": empty.digest, "size": empty.size},
        "layers": [{"mediaType": "application/json", "digest": content.digest, "size": content.size}],
        "subject": subject.descriptor(),
        "annotations": {"org.opencontainers.image.created": "2024-05-01T00:00:00Z"},
    }
    return Image(documents.OCI_MANIFEST, encode(document), (empty, content))


def fallback(artifacts: Sequence[Image]) -> Image:
    """The index of referrers that lies under `fallback_tag` where a registry has no referrers API."""
    fields = [{"artifactType": json.loads(artifact.raw)["artifactType"]} for artifact in artifacts]
    return index(list(zip(artifacts, fields, strict=True)))


def fallback_tag(subject: Image) -> str:
    """Where clients look for referrers without the API (spec: "Referrers tag schema")."""
    return subject.digest.replace(":", "-")


def repeated(name: str = "repeated") -> Image:
    """An image that names one layer three times."""
    twice, other = layer(f"{name} a", 4_000), layer(f"{name} b", 4_000)
    return single("linux/amd64", [twice, other, twice, twice])


def nested(name: str = "nested") -> Image:
    """An index in an index."""
    inner = index([(single("linux/arm64", [layer(f"{name} inner", 4_000)]), {"platform": platform_of("linux/arm64")})])
    outer = single("linux/amd64", [layer(f"{name} outer", 4_000)])
    return index([(outer, {"platform": platform_of("linux/amd64")}), (inner, {})])


def empty_layer(name: str = "empty") -> Image:
    """An image with a layer of no bytes, which ECR cannot store."""
    nothing = Layer(Bytes(b""), digest_of(b""), documents.OCI_LAYER)
    return single("linux/amd64", [layer(name, 4_000), nothing])


def tall(name: str = "tall", count: int = 60) -> Image:
    """An image of many layers."""
    return single("linux/amd64", [layer(f"{name} {number}", 1_000) for number in range(count)])


def big(size: int, name: str = "big") -> Image:
    """An image with one layer of about `size` bytes, made while it is read."""
    blob = BigLayer(size, seed=len(name))
    return single("linux/amd64", [layer(name, 4_000), Layer(blob, blob.diff_id, OCI.layer)])


ODDITIES: dict[str, Callable[[], Image]] = {
    "attested": attested,
    "schema1": schema1,
    "zstd": zstd,
    "foreign": foreign,
    "repeated": repeated,
    "nested": nested,
    "empty-layer": empty_layer,
    "tall": tall,
}


def _attestation(name: str) -> Image:
    statement = Bytes(encode({"_type": "https://in-toto.io/Statement/v0.1", "subject": [], "name": name}))
    described = Layer(statement, statement.digest, "application/vnd.in-toto+json")
    return single("unknown/unknown", [described])
