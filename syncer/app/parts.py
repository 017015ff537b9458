"""What every part of a run shares: the outside world, as values that a test or the demo can give."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.app import kinds
from syncer.app.on_demand import OnDemand
from syncer.clock import Clock, SystemClock
from syncer.credentials.keychain import Credential
from syncer.credentials.static import StaticKeychain
from syncer.ecr.pace import HEADROOM
from syncer.registry.client import Clients
from syncer.registry.surroundings import Surroundings
from syncer.settings.ecr_hosts import EcrHost, parse_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncer.credentials.keychain import Keychain
    from syncer.ecr.pace import Pace
    from syncer.oci.origin import Origin
    from syncer.registry.surroundings import Deadlines
    from syncer.settings.bandwidth import Timetable
    from syncer.settings.registries import Endpoint, RegistrySettings
    from syncer.settings.rules import Settings
    from syncer.settings.secret import Secret


@dataclass(frozen=True, slots=True)
class Outside:
    """The world around a run."""

    clock: Clock = field(default_factory=SystemClock)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))  # for proxies
    dial: Mapping[Origin, Origin] = field(default_factory=dict)  # where a host really lives
    docker: Keychain | None = None  # docker's credentials; None: read those of the user
    aws_keys: tuple[str, Secret] | None = None  # key id and secret for every target, instead of boto3's chain
    ecr_share: float = HEADROOM  # of ECR's quotas, that we use
    deadlines: Deadlines | None = None  # of all hosts; None: what the file says of each


class Parts:
    """The outside of one run, and the clients that it shares; close it when the run is over."""

    def __init__(self, settings: Settings, outside: Outside, bandwidth: Timetable | None = None) -> None:
        self.settings = settings
        self.outside = outside
        self.paces: dict[EcrHost, Pace] = {}
        around = Surroundings(outside.dial, frozenset(self._configured()), outside.environ, outside.deadlines)
        self.clients = Clients(outside.clock, around, bandwidth)
        self._docker = outside.docker or OnDemand("docker")

    def registry(self, name: str) -> RegistrySettings:
        """What the file says about the registry `name`, or what holds where it says nothing."""
        return self.settings.registry(name)

    def endpoint(self, name: str) -> Endpoint:
        """Where the registry `name` itself is."""
        return self.registry(name).endpoint

    def given(self, endpoint: Endpoint) -> Keychain | None:
        """The credential that the file gives for `endpoint`."""
        if endpoint.auth is None:
            return None
        return StaticKeychain({endpoint.origin: Credential(endpoint.auth.username, endpoint.auth.password)})

    def keychain(self, endpoint: Endpoint) -> Keychain:
        """Who we are at `endpoint`: by the file, else by AWS for an ECR host, else by docker's config and helpers."""
        if given := self.given(endpoint):
            return given
        if parse_host(endpoint.origin.netloc):
            made: Keychain = kinds.load(kinds.KEYCHAINS["ecr"])(endpoint, self)
            return made
        return self._docker

    async def aclose(self) -> None:
        """Let go of every connection."""
        await self.clients.aclose()

    def _configured(self) -> Iterator[Origin]:
        """The origins that the file names: only these may have addresses that are not public."""
        names = {rule.source.registry for rule in self.settings.rules}
        names |= {target.registry for target in self.settings.targets.values()}
        for name in names | set(self.settings.registries):
            registry = self.registry(name)
            for endpoint in (registry.endpoint, *(mirror.endpoint for mirror in registry.mirrors)):
                yield from endpoint.named
