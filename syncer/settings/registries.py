"""How a registry and its mirrors are reached, and whom to believe about tags."""

from __future__ import annotations

import enum
import functools
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.oci.origin import Origin
from syncer.settings.timeouts import Timeouts

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.settings.bandwidth import Timetable
    from syncer.settings.secret import Secret

DOCKER_HUB = "docker.io"
API_HOSTS = {DOCKER_HUB: "registry-1.docker.io"}
"""Registries whose API lives at another host than their name says. Source: distribution/reference, Docker Hub."""

WEEK = 7 * 24 * 3600.0


class Trust(enum.Enum):
    """What a mirror is believed about."""

    CONTENT = "content"  # bytes, because they are hashed
    TAGS = "tags"  # also what a tag means


class Way(enum.Enum):
    """A way to learn what a tag means (law 2)."""

    ORIGIN = "origin"
    AGREEMENT = "agreement"  # mirrors of two operators say the same
    MIRROR = "mirror"  # one mirror with `trust: tags`
    PLAN = "plan"  # only a plan made elsewhere


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard one host may be worked; pull and push count separately."""

    in_flight: int = 64  # open responses
    per_second: float | None = None  # requests started
    bandwidth: Timetable | None = None  # of bodies, in each direction; None: no limit


HUB_LIMITS = Limits(in_flight=16, per_second=20)
MIRROR_LIMITS = Limits(in_flight=8)


@dataclass(frozen=True, slots=True)
class Tls:
    """How a host proves who it is."""

    ca: Path | None = None  # PEM bundle that is trusted besides the system's
    verify: bool = True
    plain_http: bool | None = None  # None: see `plain`

    def plain(self, host: str) -> bool:
        """Whether `host` is reached without TLS: as told, else where it is a loopback host of which nothing is said."""
        if self.plain_http is not None:
            return self.plain_http
        return self.ca is None and self.verify and is_loopback(host)


@dataclass(frozen=True, slots=True)
class Auth:
    """A user name and its password or access token."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place that answers the distribution API."""

    origin: Origin
    prefix: str = ""  # put before every repository name: "docker.io" for https://m.daocloud.io/docker.io
    auth: Auth | None = None  # None: what docker has for this origin, else anonymous
    limits: Limits = field(default_factory=Limits)
    tls: Tls = field(default_factory=Tls)
    proxy: str | None = None  # None: the environment's proxy variables
    token_realms: tuple[Origin, ...] = ()  # other origins that this endpoint's credential may be shown to
    upload_hosts: tuple[Origin, ...] = ()  # other origins that it may have blobs sent to, without a credential
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def named(self) -> frozenset[Origin]:
        """Every origin that the file names for it: these may have addresses that are not public."""
        return frozenset((self.origin, *self.token_realms, *self.upload_hosts))

    @property
    def name(self) -> str:
        """What messages and reports call it: the host, with its port unless that is the usual one."""
        return self.origin.netloc


@dataclass(frozen=True, slots=True)
class MirrorSettings:
    """A pull-through endpoint that serves another registry's content."""

    endpoint: Endpoint
    trust: Trust = Trust.CONTENT
    operator: str = ""  # who runs it: the registrable domain, unless the file says otherwise


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """A registry: where its API is, its mirrors, and who says what its tags mean."""

    name: str  # as references write it: docker.io
    endpoint: Endpoint
    mirrors: tuple[MirrorSettings, ...] = ()
    resolve: tuple[Way, ...] = (Way.ORIGIN, Way.AGREEMENT)
    keep_for: float = WEEK  # seconds that a confirmed tag may stand in for an origin that does not answer


@functools.lru_cache(maxsize=1024)  # asked about for every request, and addresses are slow to parse
def is_loopback(host: str) -> bool:
    """Whether `host` (no port) is this machine itself: localhost, 127.0.0.0/8 or ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def origin_of(name: str, tls: Tls) -> Origin:
    """Where the API of the registry `name` (host[:port]) lives."""
    host = API_HOSTS.get(name, name)
    bare = Origin.parse(host)
    return Origin.parse(host, default_scheme="http" if tls.plain(bare.host) else "https")


def default_registry(name: str, timeouts: Timeouts | None = None) -> RegistrySettings:
    """The settings of a registry that the file does not mention."""
    limits = HUB_LIMITS if name == DOCKER_HUB else Limits()
    return RegistrySettings(name, Endpoint(origin_of(name, Tls()), limits=limits, timeouts=timeouts or Timeouts()))
