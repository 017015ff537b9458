"""What is mirrored: images that are the same whenever they are made, of bytes that nothing can compress."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.sandbox.blobs import BigLayer, Bytes, zstandard
from syncer.sandbox.documents import digest_of
from syncer.sandbox.images import DOCKER, OCI, Layer, index, platform_of, single, tarball

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncer.sandbox.blobs import Blob
    from syncer.sandbox.images import Flavour, Image

AMD64, ARM64 = PLATFORMS = ("linux/amd64", "linux/arm64")
KIB, MIB = 1024, 1024 * 1024
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
IN_TOTO = "application/vnd.in-toto+json"
COSIGN = "application/vnd.dev.cosign.simplesigning.v1+json"
SBOM = "application/vnd.example.sbom.v1"
CHART = "application/vnd.example.chart.v1"
BASES = {"debian": (12 * MIB, 4 * MIB, 2 * MIB), "alpine": (3 * MIB, 600 * KIB, 400 * KIB)}

Images = dict[str, dict[str, "Image"]]  # repository -> tag -> image


@dataclass(frozen=True)
class Maker:
    """Makes layers of the sizes asked for times `scale`; a layer of one name is made once."""

    scale: float = 1.0
    made: dict[tuple[str, str], Layer] = field(default_factory=dict)

    def layer(self, name: str, size: int, media_type: str = OCI.layer) -> Layer:
        """A layer of about `size` bytes that depend on its name only."""
        if (name, media_type) not in self.made:
            tar = tarball(name, max(64, int(size * self.scale)))
            packed = zstandard(tar) if media_type == ZSTD else gzip.compress(tar, compresslevel=0, mtime=0)
            self.made[name, media_type] = Layer(Bytes(packed), digest_of(tar), media_type)
        return self.made[name, media_type]

    def image(self, name: str, platform: str, base: str, sizes: tuple[int, ...], flavour: Flavour = OCI) -> Image:
        """The layers of `base`, which others share, and layers of its own of these sizes."""
        layers = [self.layer(f"{base} {platform} {n}", size, flavour.layer) for n, size in enumerate(BASES[base])]
        layers += [self.layer(f"{name} {platform} {n}", size, flavour.layer) for n, size in enumerate(sizes)]
        return single(platform, layers, flavour)

    def listed(self, name: str, base: str, sizes: tuple[int, ...], flavour: Flavour = OCI) -> Image:
        """An index for two platforms; OCI's with an attestation for each, as BuildKit pushes it."""
        entries: list[tuple[Image, dict[str, Any]]] = []
        for platform in PLATFORMS:
            child = self.image(name, platform, base, sizes, flavour)
            entries.append((child, {"platform": platform_of(platform)}))
            if flavour is OCI:
                entries.append(attestation(child))
        return index(entries, flavour)


def note(media_type: str, text: str) -> Layer:
    """A small document as a layer."""
    blob = Bytes(text.encode())
    return Layer(blob, blob.digest, media_type)


def attestation(subject: Image) -> tuple[Image, dict[str, Any]]:
    """A statement about `subject` beside it in its index; its platform is unknown/unknown."""
    statement = note(IN_TOTO, json.dumps({"subject": [{"digest": subject.digest}]}))
    marks = {"vnd.docker.reference.digest": subject.digest, "vnd.docker.reference.type": "attestation-manifest"}
    unknown = "unknown/unknown"
    return single(unknown, [statement]), {"platform": platform_of(unknown), "annotations": marks}


def artifact(kind: str, text: str, subject: Image | None = None) -> Image:
    """An OCI 1.1 artifact; about `subject` if there is one."""
    more = {"subject": subject.descriptor()} if subject else {}
    return single(AMD64, [note(f"{kind}+json", text)], OCI, artifactType=kind, **more)


def fallback(digest: str) -> str:
    """The tag for the referrers of an image at a registry without their API. distribution-spec 1.1."""
    return digest.replace(":", "-")


def small(scale: float = 1.0) -> Images:
    """Twelve repositories with about fifty tags: 0.37 GB placed, 0.17 GB distinct, times `scale`."""
    make = Maker(scale)
    big, apps = (2200 * KIB, 600 * KIB), ("api", "web", "worker")
    images = {f"apps/{name}": {f"1.{n}": make.listed(f"{name} {n}", "debian", big) for n in range(4)} for name in apps}
    for tags in images.values():
        tags["latest"] = tags["1.3"]
    deep = [make.layer(f"deep {n}", 8 * KIB) for n in range(90)]
    return images | {
        "library/debian": {str(n): make.listed(f"debian {n}", "debian", big) for n in (11, 12, 13)},
        "apps/jobs": {f"2.{n}": make.image(f"jobs {n}", AMD64, "debian", (1500 * KIB, 200 * KIB)) for n in range(8)},
        "apps/proxy": {f"3.{n}": make.listed(f"proxy {n}", "alpine", (800 * KIB, 100 * KIB)) for n in range(4)},
        "docker/listed": {f"4.{n}": make.listed(f"list {n}", "debian", (800 * KIB,), DOCKER) for n in range(3)},
        "docker/single": {f"5.{n}": make.image(f"one {n}", AMD64, "alpine", (600 * KIB,), DOCKER) for n in range(6)},
        "deep/sixty": {"v1": single(AMD64, deep[:60]), "v2": single(AMD64, deep[30:])},
        "packed/zstd": {f"6.{n}": single(AMD64, [make.layer(f"zstd {n}", MIB, ZSTD)]) for n in range(3)},
        "charts/thing": {f"0.{n}.0": artifact(CHART, f"chart {n} ") for n in range(3)},
        "signed/app": _signed(make, big),
    }


def _signed(make: Maker, sizes: tuple[int, ...]) -> dict[str, Image]:
    image = make.listed("signed", "debian", sizes)
    bill = artifact(SBOM, "bill of materials", image)
    signature = single(AMD64, [note(COSIGN, json.dumps({"critical": {"image": image.digest}}))])
    return {
        "v1": image,
        fallback(image.digest) + ".sig": signature,
        fallback(image.digest): index([(bill, {"artifactType": SBOM})]),
    }


def changes(number: int, scale: float = 1.0) -> Images:
    """What three tags of `small` mean after change `number`: a new layer on the same base."""
    make = Maker(scale)
    return {
        "apps/api": {"latest": make.listed(f"api change {number}", "debian", (2200 * KIB, 600 * KIB))},
        "apps/jobs": {"2.7": make.image(f"jobs change {number}", AMD64, "debian", (1500 * KIB, 200 * KIB))},
        "docker/single": {"5.5": make.image(f"one change {number}", AMD64, "alpine", (600 * KIB,), DOCKER)},
    }


def one_layer(size: int) -> Images:
    """One image with one layer of `size` bytes."""
    blob = BigLayer(size)
    return {"big/one": {"v1": single(AMD64, [Layer(blob, blob.diff_id, OCI.layer)])}}


# --- what is in them --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Census:
    """How much a corpus is; a blob counts once per repository as placed, once per corpus as distinct."""

    repositories: int
    tags: int
    manifests: int  # distinct in each repository
    placed: int
    placed_bytes: int
    distinct: int
    distinct_bytes: int


def everything(image: Image) -> Iterator[Image]:
    """`image` and all below it, children first."""
    for child in image.children:
        yield from everything(child)
    yield image


def blobs(tags: Mapping[str, Image]) -> dict[str, Blob]:
    """The distinct blobs of one repository, by digest."""
    return {blob.digest: blob for root in tags.values() for each in everything(root) for blob in each.blobs}


def census(images: Images) -> Census:
    """Count a corpus."""
    placed = [blob for tags in images.values() for blob in blobs(tags).values()]
    distinct = {blob.digest: blob.size for blob in placed}
    manifests = [{each.digest for root in tags.values() for each in everything(root)} for tags in images.values()]
    return Census(
        repositories=len(images),
        tags=sum(map(len, images.values())),
        manifests=sum(map(len, manifests)),
        placed=len(placed),
        placed_bytes=sum(blob.size for blob in placed),
        distinct=len(distinct),
        distinct_bytes=sum(distinct.values()),
    )


def tiny_tags(count: int) -> dict[str, Image]:
    """`count` tags, each with a manifest of its own over one shared layer."""
    layer = Maker().layer("tiny", 64)
    return {f"t{n:05}": single(AMD64, [layer], OCI, annotations={"number": str(n)}) for n in range(count)}
