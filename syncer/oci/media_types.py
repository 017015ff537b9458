"""Media types of manifests and layers, and what each is."""

from __future__ import annotations

import re

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"  # withdrawn before image-spec 1.1
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"

MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
SCHEMA1 = frozenset({DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED})
UNSUPPORTED = SCHEMA1 | {OCI_ARTIFACT}

# What a request for a manifest says it takes. docker-registry answers 404 for a type that is not listed; the first
# version of Docker's schema stands last, so that such an image is recognised and refused by name.
ACCEPT = (OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST, DOCKER_SCHEMA1_SIGNED, DOCKER_SCHEMA1)

_NONDISTRIBUTABLE = re.compile(
    r"application/vnd\.(?:oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.).+"
)
_RESTRICTED = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_GRAMMAR = re.compile(f"{_RESTRICTED}/{_RESTRICTED}")


def is_media_type(text: str) -> bool:
    """Whether `text` is `type/subtype` without parameters. RFC 6838, section 4.2."""
    return _GRAMMAR.fullmatch(text) is not None


def is_manifest(media_type: str) -> bool:
    """Whether it is an image's manifest."""
    return media_type in MANIFESTS


def is_index(media_type: str) -> bool:
    """Whether it is a list of manifests."""
    return media_type in INDEXES


def names_manifest(media_type: str) -> bool:
    """Whether it is the type of any manifest or index, those that cannot be copied included."""
    return media_type in MANIFESTS | INDEXES | UNSUPPORTED


def is_nondistributable(media_type: str) -> bool:
    """Whether it is a layer that its licence keeps at its origin, as Windows base layers were."""
    return _NONDISTRIBUTABLE.fullmatch(media_type) is not None


def without_parameters(content_type: str) -> str:
    """The media type of a Content-Type header, in lowercase and without `; charset=...`."""
    return content_type.partition(";")[0].strip().lower()
