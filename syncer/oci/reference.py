"""References: what people write to name an image, and the one full form of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import split_host_port
from syncer.oci.shown import shown

DOCKER_HUB = "docker.io"

_HUB_NAMES = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_OFFICIAL = "library/"
_IMAGE_ID = re.compile("(?:sha256:)?[0-9a-f]{64}")
_LOCALHOST = re.compile(r"localhost(?::\d*)?(?:@.*)?")
_LATEST = Tag("latest")


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """`registry/repository[:tag][@digest]`; the registry is a lowercase `host[:port]`, Docker Hub is `docker.io`."""

    registry: str
    repository: RepositoryName
    tag: Tag | None = None
    digest: Digest | None = None

    def __post_init__(self) -> None:
        if self.registry != canonical_registry(self.registry):
            raise ValueError(f"registry {shown(self.registry)} is not in its canonical form")

    @classmethod
    def parse(cls, text: str) -> Reference:
        """The image that `text` names to Docker: `nginx` is `docker.io/library/nginx:latest`.

        No tag is added where a digest is written. ValueError with the reason for anything else.
        """
        reference = cls.parse_name(text)
        return reference if reference.tag or reference.digest else reference.with_tag(_LATEST)

    @classmethod
    def parse_name(cls, text: str) -> Reference:
        """As `parse`, but what bears neither tag nor digest stays without."""
        if not text:
            raise ValueError("an image reference is missing")
        _refuse_slips(text)
        name, at, digest = text.partition("@")
        registry, path = _split_registry(name)
        path, colon, tag = path.partition(":")
        return cls(
            registry,
            _repository(registry, path),
            Tag(tag) if colon else None,
            Digest.parse(digest) if at else None,
        )

    def with_tag(self, tag: Tag | None) -> Reference:
        """The same repository and digest with another tag, or none."""
        return replace(self, tag=tag)

    def with_digest(self, digest: Digest | None) -> Reference:
        """The same repository and tag with another digest, or none."""
        return replace(self, digest=digest)

    def at(self, digest: Digest) -> Reference:
        """The same repository by digest alone."""
        return replace(self, tag=None, digest=digest)

    @property
    def name(self) -> str:
        """`registry/repository`."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar(self) -> str:
        """The shortest form that Docker reads back as the same image: `nginx:1.27`. For display."""
        return next(name for name in self._names() if _reads_as(name, self)) + self._suffix()

    def _names(self) -> tuple[str, ...]:
        path = str(self.repository)
        return (path.removeprefix(_OFFICIAL), path, self.name) if self.registry == DOCKER_HUB else (self.name,)

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        return self.name + self._suffix()


def canonical_registry(text: str) -> str:
    """`host[:port]` in lowercase, with every name of Docker Hub as `docker.io`; ValueError if it is no such thing."""
    host, port = split_host_port(text)
    if "_" in host:
        raise ValueError(f"{shown(text)} is no registry: a host name has no underscore")
    if host in _HUB_NAMES and port in (None, 443):
        return DOCKER_HUB
    if port is None and host != "localhost" and not re.search("[.:]", host):
        raise ValueError(f"{shown(text)} is no registry: without a dot or a port it would be read as a Docker Hub name")
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if port is None else f"{bracketed}:{port}"


def _split_registry(name: str) -> tuple[str, str]:
    """Docker's rule: the first component is a host if it has a dot, a colon or a capital, or is `localhost`."""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        return canonical_registry(first), rest
    return DOCKER_HUB, name


def _repository(registry: str, path: str) -> RepositoryName:
    official = registry == DOCKER_HUB and path and "/" not in path
    return RepositoryName(_OFFICIAL + path if official else path)


def _refuse_slips(text: str) -> None:
    if "://" in text:
        raise ValueError(f"{shown(text)} is a URL; an image reference has no scheme")
    if _IMAGE_ID.fullmatch(text):
        raise ValueError(f"{text} is an image ID, which no registry knows; write name@sha256:... instead")
    if _LOCALHOST.fullmatch(text):
        raise ValueError(f"{shown(text)} names a registry, and no repository in it")


def _reads_as(name: str, wanted: Reference) -> bool:
    try:
        return Reference.parse_name(name).name == wanted.name
    except ValueError:
        return False
