"""What the sandbox needs to know of a manifest: its type, and what it refers to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"

INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
SCHEMAS1 = frozenset({SCHEMA1, SCHEMA1_SIGNED})
KNOWN = INDEXES | SCHEMAS1 | {OCI_MANIFEST, DOCKER_MANIFEST}


def digest_of(data: bytes | bytearray) -> str:
    """The sha256 digest of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest or index, as far as a registry reads it."""

    media_type: str
    content: dict[str, Any]
    blobs: tuple[str, ...]  # digests that must be in the repository; foreign layers are not
    children: tuple[str, ...]
    subject: str | None

    @property
    def artifact_type(self) -> str | None:
        """What the referrers API calls it: the field, else the type of the config (OCI 1.1)."""
        named = self.content.get("artifactType")
        config = self.content.get("config") or {}
        found = named or config.get("mediaType")
        return found if isinstance(found, str) else None

    def child_for(self, os: str, architecture: str) -> str | None:
        """The digest of the first child for that platform."""
        for child in self.content.get("manifests", ()):
            platform = child.get("platform") or {}
            if (platform.get("os"), platform.get("architecture")) == (os, architecture):
                return str(child["digest"])
        return None


def read(raw: bytes, media_type: str) -> Document:
    """Read `raw` as what its Content-Type says it is.

    Raises ValueError when it is not JSON, or not of that type.
    """
    if media_type not in KNOWN:
        raise ValueError(f"{media_type or 'no Content-Type'} is not the type of a manifest")
    content = json.loads(raw)
    try:
        declared = content.get("mediaType", media_type)
        subject = content["subject"]["digest"] if content.get("subject") else None
        blobs, children = _blobs(content, media_type), _children(content, media_type)
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError("a manifest has a config and layers, an index has manifests, all with digests") from exc
    if declared != media_type:
        raise ValueError(f"the Content-Type is {media_type}, the mediaType is {declared}")
    return Document(media_type, content, blobs, children, subject)


def _blobs(content: dict[str, Any], media_type: str) -> tuple[str, ...]:
    if media_type in INDEXES:
        if "layers" in content or "config" in content:
            raise ValueError("an index has no config and no layers")
        return ()
    if media_type in SCHEMAS1:
        return tuple(layer["blobSum"] for layer in content["fsLayers"])
    described = [content["config"], *content["layers"]]
    return tuple(item["digest"] for item in described if not item.get("urls"))


def _children(content: dict[str, Any], media_type: str) -> tuple[str, ...]:
    if media_type in INDEXES:
        return tuple(item["digest"] for item in content["manifests"])
    if "manifests" in content:
        raise ValueError("a manifest has no manifests")
    return ()
