"""Images for tests: small, made of our own values, the same for the same arguments."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.attempts import Attempts, Policy
from syncer.clock import SteppedClock
from syncer.content.memory import MemoryRegistry, MemoryTarget
from syncer.oci import media_types
from syncer.oci.digest import Digest
from syncer.oci.manifest import Index, Manifest, parse_manifest
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.platform import Platform
from syncer.oci.reference import Reference
from syncer.settings.rules import Rule, Settings, TagChoice
from syncer.settings.targets import TargetSettings
from syncer.settings.terms import Overwrite, Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.content.places import Registry, Source

EMPTY = b"{}"


@dataclass(frozen=True)
class Image:
    """A whole graph: its root, all manifests with children first, and the bytes of its blobs."""

    root: Manifest | Index
    nodes: tuple[Manifest | Index, ...]
    blobs: dict[Digest, bytes] = field(repr=False)

    @property
    def digest(self) -> Digest:
        return self.root.descriptor.digest


def blob(text: str, size: int = 0) -> bytes:
    """Bytes that begin with `text`, repeated up to `size`."""
    data = text.encode()
    return data if not size else (data * (size // len(data) + 1))[:size]


def described(data: bytes, media_type: str = media_types.OCI_LAYER, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(data)), "size": len(data), **more}


def image(
    *layers: bytes,
    config: bytes | None = None,
    subject: Image | None = None,
    artifact_type: str = "",
    docker: bool = False,
) -> Image:
    """One manifest with `layers`; its config names them unless one is given."""
    config = json.dumps([str(Digest.of(layer)) for layer in layers]).encode() if config is None else config
    kind = media_types.DOCKER_MANIFEST if docker else media_types.OCI_MANIFEST
    config_kind = media_types.DOCKER_CONFIG if docker else media_types.OCI_CONFIG
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": described(config, media_types.OCI_EMPTY if config == EMPTY else config_kind),
        "layers": [described(layer) for layer in layers],
    }
    document |= {"artifactType": artifact_type} if artifact_type else {}
    document |= {"subject": subject.root.descriptor.to_json()} if subject else {}
    manifest = parse_manifest(json.dumps(document, indent=1).encode(), kind)
    return Image(manifest, (manifest,), {Digest.of(data): data for data in (config, *layers)})


def index(*children: Image, platforms: Sequence[str] = (), docker: bool = False) -> Image:
    """An index over `children`, the first ones for `platforms`."""
    named = [Platform.parse(text) for text in platforms] + [None] * len(children)
    kind = media_types.DOCKER_LIST if docker else media_types.OCI_INDEX
    entries = [
        child.root.descriptor.to_json() | ({"platform": platform.to_json()} if platform else {})
        for child, platform in zip(children, named, strict=False)
    ]
    raw = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}, indent=1).encode()
    root = parse_manifest(raw, kind)
    nodes = {node.descriptor.digest: node for child in children for node in child.nodes}
    blobs = {digest: data for child in children for digest, data in child.blobs.items()}
    return Image(root, (*nodes.values(), root), blobs)


def two_platforms(name: str = "app") -> Image:
    """amd64 and arm64 that share a base layer, as official images do."""
    base = blob(f"{name} base", 5000)
    return index(
        image(base, blob(f"{name} amd64")), image(base, blob(f"{name} arm64")), platforms=("linux/amd64", "linux/arm64")
    )


def hold(target: MemoryTarget, what: Image, tag: str | None = None) -> Image:
    """Have `what` at `target`, without anybody having pushed it."""
    for data in what.blobs.values():
        target.hold_blob(data)
    for node in what.nodes:
        last = node is what.root
        target.hold_manifest(node.raw, node.descriptor.media_type, Tag(tag) if tag and last else None)
    return what


def complete(target: MemoryTarget) -> bool:
    """Whether every tag of `target` names something whole, right down to the bytes."""
    return all(_whole(target, digest) for digest in target.named.values())


def _whole(target: MemoryTarget, digest: Digest) -> bool:
    node = target.manifests.get(digest)
    if isinstance(node, Index):
        return all(_whole(target, child.digest) for child in node.manifests)
    return node is not None and all(Digest.of(target.blobs.get(d.digest, b"?")) == d.digest for d in node.blobs)


class World:
    """Sources by host and targets by name, all in memory: the Places of a test."""

    def __init__(self, *targets: str) -> None:
        self.hosts: dict[str, MemoryRegistry] = {}
        self.targets = {name: MemoryRegistry(f"{name}.example") for name in targets or ("east",)}
        self.clock = SteppedClock()
        self.attempts = Attempts(Policy(), self.clock)

    def source(self, reference: Reference) -> Source:
        return self.host(reference.registry).source(reference.repository)

    def registry(self, target: str) -> Registry:
        return self.targets[target]

    def host(self, name: str) -> MemoryRegistry:
        return self.hosts.setdefault(name, MemoryRegistry(name))

    def at_source(self, text: str) -> MemoryTarget:
        """The source repository that `text` names."""
        reference = Reference.parse_name(text)
        return self.host(reference.registry).target(reference.repository)

    def at(self, target: str, repository: str) -> MemoryTarget:
        """A repository at one of the targets."""
        return self.targets[target].target(RepositoryName(repository))

    def publish(self, text: str, what: Image) -> Image:
        """Have `what` at the source, under the tag that `text` names."""
        return hold(self.at_source(text), what, str(Reference.parse(text).tag))

    def settings(self, *rules: Rule) -> Settings:
        targets = {name: TargetSettings(name, held.identity) for name, held in self.targets.items()}
        return Settings("mirrors.yaml", "0" * 64, {}, targets, rules)

    def rule(self, source: str, *tags: str, to: str = "", targets: Sequence[str] = (), **more: Any) -> Rule:
        """A rule with exact tags and globs told apart by their characters."""
        reference = Reference.parse_name(source)
        exact = tuple(Tag(tag) for tag in tags if not set(tag) & set("*?["))
        globs = tuple(tag for tag in tags if set(tag) & set("*?["))
        repository = RepositoryName(to) if to else reference.repository
        anything = Terms(overwrite=Overwrite.ANY)  # what a test puts at a target stands for what syncer did long ago
        defaults: dict[str, Any] = {"rename": None, "line": 1, "terms": anything} | more
        return Rule(reference, TagChoice(exact, globs), repository, targets=tuple(targets or self.targets), **defaults)
