"""Images that this project's own code had no hand in: made from the specifications, pushed over plain HTTP.

Everything is derived from names, so that two runs make the same bytes. Layers are tar archives that engines unpack.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator, Mapping, Sequence

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
IN_TOTO = "application/vnd.in-toto+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
ACCEPT = f"{OCI_INDEX}, {OCI_MANIFEST}, {DOCKER_LIST}, {DOCKER_MANIFEST}"

KIB, MIB = 1024, 1024**2
PLATFORMS = ("linux/amd64", "linux/arm64")
AMD64 = {"os": "linux", "architecture": "amd64"}
UNKNOWN = {"os": "unknown", "architecture": "unknown"}


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Blob:
    """Bytes with a type; `diff_id` is the digest of what a layer unpacks to."""

    media_type: str
    data: bytes = field(repr=False)
    diff_id: str = ""

    @property
    def digest(self) -> str:
        return digest_of(self.data)

    def descriptor(self, **more: object) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data), **more}


@dataclass(frozen=True)
class Document(Blob):
    """A manifest or index, with the blobs and the manifests that it names."""

    blobs: tuple[Blob, ...] = field(default=(), repr=False)
    children: tuple[Document, ...] = field(default=(), repr=False)


def document(media_type: str, body: Mapping[str, Any], blobs: Iterable[Blob], children: Iterable[Document]) -> Document:
    """`body` as a registry keeps it; with line breaks, so that whoever writes it anew gets another digest."""
    raw = json.dumps({"schemaVersion": 2, "mediaType": media_type, **body}, indent=2).encode()
    return Document(media_type, raw, blobs=tuple(blobs), children=tuple(children))


# layers


def tar_of(name: str, size: int) -> bytes:
    """An archive with one file, named and filled from `name`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        info = tarfile.TarInfo(f"{hashlib.sha1(name.encode()).hexdigest()[:12]}.bin")  # noqa: S324 - a file's name
        info.size = size
        tar.addfile(info, io.BytesIO(random.Random(name).randbytes(size)))
    return packed.getvalue()


def layer(name: str, size: int = 2 * KIB, media_type: str = OCI_LAYER + "+gzip") -> Blob:
    """A layer of about `size` bytes, packed as its type says."""
    tar = tar_of(name, size)
    return Blob(media_type, PACKED[media_type.partition("+")[2]](tar), digest_of(tar))


def zstd_frame(data: bytes) -> bytes:
    """A frame of raw blocks. RFC 8878, sections 3.1.1.1 and 3.1.1.2."""
    blocks = [data[at : at + 100 * KIB] for at in range(0, len(data), 100 * KIB)]
    frame = bytearray(b"\x28\xb5\x2f\xfd" + b"\xa0" + len(data).to_bytes(4, "little"))
    for number, block in enumerate(blocks, 1):
        frame += (len(block) << 3 | (number == len(blocks))).to_bytes(3, "little") + block
    return bytes(frame)


PACKED = {"": bytes, "gzip": lambda tar: gzip.compress(tar, 1, mtime=0), "zstd": zstd_frame}


# images


def image(layers: Sequence[Blob], platform: str = "linux/amd64", *, docker: bool = False) -> Document:
    """An image of one platform."""
    system, architecture = platform.split("/")
    about = {
        "os": system,
        "architecture": architecture,
        "config": {"Cmd": ["/bin/true"]},
        "rootfs": {"type": "layers", "diff_ids": [each.diff_id for each in layers]},
        "history": [{"created_by": f"layer {number}"} for number, _ in enumerate(layers)],
    }
    config = Blob(DOCKER_CONFIG if docker else OCI_CONFIG, json.dumps(about).encode())
    named = [replace(each, media_type=DOCKER_LAYER) for each in layers] if docker else layers
    body = {"config": config.descriptor(), "layers": [each.descriptor() for each in named]}
    return document(DOCKER_MANIFEST if docker else OCI_MANIFEST, body, [config, *named], [])


def index(entries: Sequence[tuple[Document, Mapping[str, Any]]], *, docker: bool = False) -> Document:
    """A list of manifests, each with the fields that its entry adds."""
    body = {"manifests": [child.descriptor(**more) for child, more in entries]}
    return document(DOCKER_LIST if docker else OCI_INDEX, body, [], [child for child, _ in entries])


def attestation(subject: Document) -> tuple[Document, dict[str, Any]]:
    """What BuildKit puts beside an image: a manifest of statements, told from images by its platform."""
    statement = Blob(IN_TOTO, json.dumps({"subject": [{"digest": subject.digest}]}).encode(), "sha256:" + "0" * 64)
    notes = {"vnd.docker.reference.digest": subject.digest, "vnd.docker.reference.type": "attestation-manifest"}
    return image([statement], "unknown/unknown"), {"platform": UNKNOWN, "annotations": notes}


def platforms(name: str, base: str, size: int = 20 * KIB) -> Document:
    """An index for two platforms with their attestations, each on its platform's shared base."""
    entries: list[tuple[Document, dict[str, Any]]] = []
    for platform in PLATFORMS:
        child = image([*base_layers(base, platform), layer(f"{name} {platform}", size)], platform)
        system, architecture = platform.split("/")
        entries += [(child, {"platform": {"os": system, "architecture": architecture}}), attestation(child)]
    return index(entries)


def docker_list(name: str, base: str) -> Document:
    """Docker's own form of an index, of images of Docker's own form."""
    entries = []
    for platform in PLATFORMS:
        child = image([*base_layers(base, platform), layer(f"{name} {platform}")], platform, docker=True)
        system, architecture = platform.split("/")
        entries.append((child, {"platform": {"os": system, "architecture": architecture}}))
    return index(entries, docker=True)


BASES: dict[tuple[str, str], list[Blob]] = {}


def base_layers(name: str, platform: str) -> list[Blob]:
    """Three layers, 3 MiB together, that many images stand on; made once."""
    key = (name, platform)
    if key not in BASES:
        BASES[key] = [layer(f"{name} {platform} {n}", size * KIB) for n, size in enumerate((2048, 768, 256))]
    return BASES[key]


def artifact(name: str, subject: Document | None = None) -> Document:
    """An OCI 1.1 artifact with the empty config, about `subject` if there is one."""
    empty, content = Blob(OCI_EMPTY, b"{}"), Blob("application/vnd.example.chart.v1.tar+gzip", name.encode() * 50)
    body: dict[str, Any] = {
        "artifactType": "application/vnd.example.chart.v1",
        "config": empty.descriptor(data="e30="),
        "layers": [content.descriptor(annotations={"org.opencontainers.image.title": name})],
    }
    if subject is not None:
        body["subject"] = {"mediaType": subject.media_type, "digest": subject.digest, "size": len(subject.data)}
    return document(OCI_MANIFEST, body, [empty, content], [])


def signature(subject: Document) -> Document:
    """What cosign pushes beside an image."""
    payload = Blob(SIMPLE_SIGNING, json.dumps({"critical": {"image": subject.digest}}).encode(), "sha256:" + "1" * 64)
    return image([payload])


def beside(subject: Document, suffix: str = "") -> str:
    """The tag for what belongs to `subject`: `.sig` for cosign, none for the list of referrers."""
    return subject.digest.replace(":", "-") + suffix


def referrers_list(*referrers: Document) -> Document:
    """What lies under the tag `beside` an image at a registry without the referrers API. distribution-spec 1.1."""
    kind = {"artifactType": "application/vnd.example.chart.v1"}
    return index([(each, kind) for each in referrers])


# the corpus

Corpus = dict[str, dict[str, Document]]  # repository → tag → what it means


def corpus() -> Corpus:
    """Twelve repositories with fifty tags."""
    signed = platforms("signed", "debian")
    return {
        "library/debian": {tag: platforms(f"debian {tag}", "debian") for tag in ("11", "12", "13")},
        **{f"apps/{name}": _versions(name, "debian", 6) for name in ("api", "web", "worker")},
        **{f"apps/{name}": _versions(name, "alpine", 6) for name in ("cron", "proxy")},
        "docker/listed": {f"1.{n}": docker_list(f"listed {n}", "alpine") for n in range(4)},
        "docker/single": {f"1.{n}": _single(f"single {n}") for n in range(4)},
        "deep/sixty": {f"v{n}": image([layer(f"deep {n // 2} {i}", 600) for i in range(60 - n)]) for n in range(2)},
        "zstd/app": {f"v{n}": image([layer(f"zstd {n}", 300 * KIB, OCI_LAYER + "+zstd")]) for n in range(2)},
        "charts/thing": {f"0.{n}.0": artifact(f"thing {n}") for n in range(2)},
        "signed/app": {
            "v1": signed,
            beside(signed, ".sig"): signature(signed),
            beside(signed): referrers_list(artifact("bill of materials", signed)),
        },
    }


def _versions(name: str, base: str, count: int) -> dict[str, Document]:
    return {f"1.{n}": platforms(f"{name} {n}", base) for n in range(count)}


def _single(name: str) -> Document:
    return image([*base_layers("debian", "linux/amd64"), layer(name)], docker=True)


def everything(of: Document) -> Iterator[Document]:
    """`of` and all manifests below it, children first."""
    for child in of.children:
        yield from everything(child)
    yield of


def distinct_blobs(images: Corpus) -> dict[str, Blob]:
    """Every blob of `images`, each once."""
    roots = [root for tags in images.values() for root in tags.values()]
    return {blob.digest: blob for root in roots for each in everything(root) for blob in each.blobs}


# a registry, from outside


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Door:
    """Plain requests to one registry at `host` (with its port); a blob is sent once, then mounted."""

    def __init__(self, host: str, tls: ssl.SSLContext | None = None, **always: str) -> None:
        self._host = host
        self._tls = tls
        self._always = {"Accept": ACCEPT, **always}
        self._homes: dict[str, str] = {}  # digest → a repository that has the blob
        self._put: set[tuple[str, str]] = set()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        with closing(self._connection()) as http:
            http.request(method, path, body, {**self._always, **headers})
            with http.getresponse() as response:
                return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def _connection(self) -> HTTPConnection:
        if self._tls is None:
            return HTTPConnection(self._host, timeout=60)
        return HTTPSConnection(self._host, timeout=60, context=self._tls)

    def fetch(self, repository: str, name: str) -> Answer:
        """The manifest that a tag or digest means."""
        return self.ask("GET", f"/v2/{repository}/manifests/{name}")

    def push(self, repository: str, root: Document, *tags: str) -> None:
        """Everything below `root`, and `root` under its digest and `tags`."""
        for each in everything(root):
            for blob in each.blobs:
                self.push_blob(repository, blob)
            self.push_manifest(repository, each, each.digest)
        for tag in tags:
            self.push_manifest(repository, root, tag)

    def push_corpus(self, images: Corpus) -> None:
        for repository, tags in images.items():
            for tag, root in tags.items():
                self.push(repository, root, tag)

    def push_blob(self, repository: str, blob: Blob) -> None:
        if (repository, blob.digest) in self._put:
            return
        home = self._homes.setdefault(blob.digest, repository)
        start = f"/v2/{repository}/blobs/uploads/"
        answer = self.ask("POST", start + (f"?mount={blob.digest}&from={home}" if home != repository else ""))
        if answer.status == 202:
            session = answer.headers["location"].partition("/v2/")[2]
            answer = self.ask("PUT", f"/v2/{session}&digest={blob.digest}", blob.data)
        assert answer.status == 201, answer
        self._put.add((repository, blob.digest))

    def push_manifest(self, repository: str, root: Document, name: str) -> None:
        if (repository, name) not in self._put:
            path = f"/v2/{repository}/manifests/{name}"
            answer = self.ask("PUT", path, root.data, **{"Content-Type": root.media_type})
            assert answer.status == 201, answer
        if name == root.digest:
            self._put.add((repository, name))


# what is too large to be held


def mebibytes(count: int) -> Iterator[bytes]:
    """Bytes that differ from one MiB to the next, made as they are sent."""
    seed = random.Random("big").randbytes(MIB - 8)
    for number in range(count):
        yield number.to_bytes(8, "big") + seed


def push_big(host: str, name: str, size: int) -> str:
    """A blob of `size` bytes that is never in memory as a whole; its digest."""
    hasher = hashlib.sha256()
    for chunk in mebibytes(size // MIB):
        hasher.update(chunk)
    digest = f"sha256:{hasher.hexdigest()}"
    session = Door(host).ask("POST", f"/v2/{name}/blobs/uploads/").headers["location"].partition("/v2/")[2]
    http = HTTPConnection(host, timeout=120)
    http.request("PUT", f"/v2/{session}&digest={digest}", mebibytes(size // MIB), {"Content-Length": str(size)})
    with http.getresponse() as response:
        assert response.status == 201
        response.read()
    http.close()
    return digest


def push_big_image(host: str, name: str, size: int) -> str:
    """An image with one layer of `size` bytes, under the tag v1; the layer's digest."""
    config = Blob(OCI_CONFIG, b'{"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers"}}')
    digest = push_big(host, name, size)
    layers = [{"mediaType": OCI_LAYER, "digest": digest, "size": size}]
    image = document(OCI_MANIFEST, {"config": config.descriptor(), "layers": layers}, [config], [])
    Door(host).push(name, image, "v1")
    return digest
