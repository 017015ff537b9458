"""Manifests and indexes: parsed once, carried as the bytes that arrived."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from syncer.errors import MalformedManifest, UnsupportedManifest
from syncer.oci import media_types, strict_json
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.shown import shown

MAX_CHILDREN = 1_000  # real indexes have about 20
MAX_VALUES = 50_000  # of JSON: each takes a hundred bytes of memory; MAX_LAYERS plain layers have 40,000
MAX_LAYERS = 10_000  # overlay file systems end at 128; this only bounds what a hostile manifest can cost

_SCHEMA_VERSION = 2
_SCHEMA1_VERSION = 1
_COMMON = frozenset({"schemaVersion", "mediaType", "artifactType", "subject", "annotations"})
_SCHEMA1_ONLY = frozenset({"fsLayers", "history", "signatures"})
_MANIFEST_ONLY = frozenset({"config", "layers"})
_INDEX_ONLY = frozenset({"manifests"})
_ALL = _COMMON | _SCHEMA1_ONLY | _MANIFEST_ONLY | _INDEX_ONLY


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image for one platform, or an artifact: a config and layers.

    Spec: image-spec 1.1, manifest.md; Docker "Image Manifest Version 2, Schema 2".
    """

    descriptor: Descriptor
    raw: bytes = field(repr=False)
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    artifact_type: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The config, then the layers in order, each digest once."""
        return _distinct((self.config, *self.layers))


@dataclass(frozen=True, slots=True)
class Index:
    """A list of manifests, one per platform as a rule.

    Spec: image-spec 1.1, image-index.md; Docker "Manifest List".
    """

    descriptor: Descriptor
    raw: bytes = field(repr=False)
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    artifact_type: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def children(self) -> tuple[Descriptor, ...]:
        """The manifests in order, each digest once."""
        return _distinct(self.manifests)


def parse_manifest(raw: bytes, media_type: str | None, algorithm: str = "sha256") -> Manifest | Index:
    """What `raw` says, read so that every other reader sees the same content in it.

    `media_type` is the Content-Type or the parent's word, None if there is none; the body's own must not contradict
    it. The descriptor's digest is computed by `algorithm`. Raises UnsupportedManifest for Docker's schema 1 and for
    OCI's withdrawn artifact manifest, MalformedManifest for whatever else is not sound.
    """
    try:
        return _parse(raw, media_types.without_parameters(media_type or ""), algorithm)
    except ValueError as exc:
        raise MalformedManifest(f"the manifest is not valid: {exc}") from exc


def _parse(raw: bytes, declared: str, algorithm: str) -> Manifest | Index:
    document = strict_json.loads(raw, most=MAX_VALUES)
    _refuse_unsupported(document, declared)
    members = strict_json.fields(document, _ALL, "it")
    version = members.get("schemaVersion")
    if not _is(_SCHEMA_VERSION, version):
        raise ValueError(f"schemaVersion is {shown(version)}, not {_SCHEMA_VERSION}")
    media_type = _media_type(members, declared)
    descriptor = Descriptor(media_type, Digest.of(raw, algorithm), len(raw))
    if media_types.is_index(media_type):
        return _index(descriptor, raw, members)
    return _manifest(descriptor, raw, members)


def _refuse_unsupported(document: Any, declared: str) -> None:
    members = document if isinstance(document, dict) else {}
    types = (declared, members.get("mediaType"))
    if media_types.OCI_ARTIFACT in types:
        raise UnsupportedManifest(
            "this is an OCI artifact manifest, a form that was withdrawn before image-spec 1.1",
            hint="push the artifact again with a current tool, then mirror the result",
        )
    if _is(_SCHEMA1_VERSION, members.get("schemaVersion")) or any(name in types for name in media_types.SCHEMA1):
        raise UnsupportedManifest(
            "this is a Docker schema 1 manifest, a form that registries have stopped accepting: it cannot be mirrored"
        )


def _is(number: int, value: Any) -> bool:
    return type(value) is int and value == number  # in Python, True == 1 == 1.0; in JSON they differ


def _media_type(members: dict[str, Any], declared: str) -> str:
    """The body's own type; where it has none, the declared one, or what its fields tell."""
    own = strict_json.text(members, "mediaType", "")
    if own and not media_types.is_manifest(own) and not media_types.is_index(own):
        raise ValueError(f"{shown(own)} is no type of a manifest")
    if own and media_types.names_manifest(declared) and own != declared:
        raise ValueError(f"it says that it is {own}, but was served as {declared}")
    if own or media_types.names_manifest(declared):
        return own or declared
    return _guessed(members)


def _guessed(members: dict[str, Any]) -> str:
    if "manifests" in members:
        return media_types.OCI_INDEX  # a Docker list always names its type
    if "config" not in members:
        raise ValueError("it has neither a type nor the fields of a manifest")
    config = strict_json.fields(members["config"], frozenset({"mediaType"}), "config")
    docker = config.get("mediaType") == media_types.DOCKER_CONFIG
    return media_types.DOCKER_MANIFEST if docker else media_types.OCI_MANIFEST


def _manifest(descriptor: Descriptor, raw: bytes, members: dict[str, Any]) -> Manifest:
    _refuse_fields(members, _INDEX_ONLY | _SCHEMA1_ONLY, "a manifest")
    if "layers" not in members:
        raise ValueError("layers is missing")
    config = Descriptor.from_json(members.get("config"), "config")
    layers = _descriptors(members, "layers", MAX_LAYERS)
    _refuse_two_sizes((config, *layers))
    return Manifest(descriptor, raw, config, layers, *_common(members))


def _index(descriptor: Descriptor, raw: bytes, members: dict[str, Any]) -> Index:
    _refuse_fields(members, _MANIFEST_ONLY | _SCHEMA1_ONLY, "an index")
    if "manifests" not in members:
        raise ValueError("manifests is missing")
    manifests = _descriptors(members, "manifests", MAX_CHILDREN)
    _refuse_two_sizes(manifests)
    return Index(descriptor, raw, manifests, *_common(members))


def _common(members: dict[str, Any]) -> tuple[Descriptor | None, str | None, tuple[tuple[str, str], ...]]:
    subject = members.get("subject")
    return (
        None if subject is None else Descriptor.from_json(subject, "subject"),
        strict_json.text(members, "artifactType", "") or None,
        strict_json.text_pairs(members, "annotations"),
    )


def _descriptors(members: dict[str, Any], key: str, limit: int) -> tuple[Descriptor, ...]:
    values = strict_json.items(members, key, limit)
    return tuple(Descriptor.from_json(value, f"{key}[{position}]") for position, value in enumerate(values))


def _refuse_fields(members: dict[str, Any], foreign: frozenset[str], what: str) -> None:
    """A document that is two things at once is read as either (CVE-2021-41190)."""
    for key in sorted(foreign & members.keys()):
        raise ValueError(f"{what} must not have the field {key}")


def _refuse_two_sizes(descriptors: tuple[Descriptor, ...]) -> None:
    sizes: dict[Digest, int] = {}
    for descriptor in descriptors:
        if sizes.setdefault(descriptor.digest, descriptor.size) != descriptor.size:
            raise ValueError(f"{descriptor.digest} is named with two sizes")


def _distinct(descriptors: tuple[Descriptor, ...]) -> tuple[Descriptor, ...]:
    seen: dict[Digest, Descriptor] = {}
    for descriptor in descriptors:
        seen.setdefault(descriptor.digest, descriptor)
    return tuple(seen.values())
