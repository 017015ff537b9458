"""Small images, the same bytes whenever they are made: multi-platform, with base layers that images share."""

from __future__ import annotations

import io
import json
import random
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncer.sandbox import documents
from syncer.sandbox.blobs import Bytes, gzipped
from syncer.sandbox.documents import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.sandbox.blobs import Blob
    from syncer.sandbox.store import Store

PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7")
CREATED = "2024-05-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Image:
    """A manifest or index with all that it refers to."""

    media_type: str
    raw: bytes
    blobs: tuple[Blob, ...] = ()
    children: tuple[Image, ...] = ()

    @property
    def digest(self) -> str:
        """Its sha256 digest."""
        return digest_of(self.raw)

    def descriptor(self, **more: Any) -> dict[str, Any]:
        """What an index or a subject field says of it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.raw), **more}


@dataclass(frozen=True, slots=True)
class Flavour:
    """The media types that an image is made of."""

    index: str
    manifest: str
    config: str
    layer: str


OCI = Flavour(documents.OCI_INDEX, documents.OCI_MANIFEST, documents.OCI_CONFIG, documents.OCI_LAYER + "+gzip")
DOCKER = Flavour(documents.DOCKER_LIST, documents.DOCKER_MANIFEST, documents.DOCKER_CONFIG, documents.DOCKER_LAYER)


@dataclass(frozen=True, slots=True)
class Layer:
    """A tar and its compressed form."""

    blob: Blob
    diff_id: str
    media_type: str
    urls: tuple[str, ...] = ()

    def descriptor(self) -> dict[str, Any]:
        """What a manifest says of it."""
        urls = {"urls": list(self.urls)} if self.urls else {}
        return {"mediaType": self.media_type, "digest": self.blob.digest, "size": self.blob.size, **urls}


def encode(document: dict[str, Any]) -> bytes:
    """A document as the bytes that are pushed."""
    return json.dumps(document, indent=2).encode()


def tarball(name: str, size: int) -> bytes:
    """A tar with one file of `size` bytes that depend on its name only."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        info = tarfile.TarInfo(f"opt/{name}")
        info.size = size
        tar.addfile(info, io.BytesIO(random.Random(name).randbytes(size)))
    return buffer.getvalue()


def layer(name: str, size: int, media_type: str = OCI.layer) -> Layer:
    """A gzip layer with one file of `size` bytes that depend on its name only."""
    tar = tarball(name, size)
    return Layer(Bytes(gzipped(tar)), digest_of(tar), media_type)


def platform_of(text: str) -> dict[str, str]:
    """`os/architecture[/variant]` as a descriptor's platform."""
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))


def single(platform: str, layers: Sequence[Layer], flavour: Flavour = OCI, **more: Any) -> Image:
    """An image for one platform; `more` are further fields of its manifest."""
    config = Bytes(encode(_config(platform, layers)))
    manifest = {
        "schemaVersion": 2,
        "mediaType": flavour.manifest,
        "config": {"mediaType": flavour.config, "digest": config.digest, "size": config.size},
        "layers": [item.descriptor() for item in layers],
        **more,
    }
    held = tuple(item.blob for item in layers if not item.urls)
    return Image(flavour.manifest, encode(manifest), (config, *held))


def index(children: Sequence[tuple[Image, dict[str, Any]]], flavour: Flavour = OCI, **more: Any) -> Image:
    """An index; each child comes with the further fields of its descriptor."""
    manifests = [child.descriptor(**fields) for child, fields in children]
    document = {"schemaVersion": 2, "mediaType": flavour.index, "manifests": manifests, **more}
    return Image(flavour.index, encode(document), (), tuple(child for child, _ in children))


def image(
    name: str,
    tag: str,
    platforms: Sequence[str] = PLATFORMS,
    *,
    base: str = "debian",
    flavour: Flavour = OCI,
) -> Image:
    """A multi-platform image: a layer shared by all of one base, one by all tags of a name, one of its own."""
    children = []
    for platform in platforms:
        layers = [
            layer(f"{base} {platform}", 48_000, flavour.layer),
            layer(f"{name} {platform}", 12_000, flavour.layer),
            layer(f"{name}:{tag} {platform}", 4_000, flavour.layer),
        ]
        children.append((single(platform, layers, flavour), {"platform": platform_of(platform)}))
    return index(children, flavour)


def populate(store: Store, repository: str, tag: str | None, what: Image) -> str:
    """Put an image into a repository, children first, and return its digest."""
    repo = store.create(repository)
    for child in what.children:
        populate(store, repository, None, child)
    for blob in what.blobs:
        repo.put_blob(blob)
    return repo.commit(what.raw, what.media_type, tag)


def _config(platform: str, layers: Sequence[Layer]) -> dict[str, Any]:
    return {
        "created": CREATED,
        **platform_of(platform),
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [item.diff_id for item in layers]},
        "history": [{"created": CREATED, "created_by": f"COPY {n}"} for n, _ in enumerate(layers)],
    }
