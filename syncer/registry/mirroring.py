"""A registry as mirrors.yaml describes it, to read from: what its repositories share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.content.places import Place
from syncer.registry.kept import Manifests
from syncer.registry.mirrored import Mirrored
from syncer.registry.plain import PlainRegistry
from syncer.registry.upstream import Branch, Upstream

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncer.oci.names import RepositoryName
    from syncer.registry.hosts import Hosts
    from syncer.registry.http import Client
    from syncer.settings.registries import Endpoint, MirrorSettings, RegistrySettings


class MirroredRegistry:
    """The sources of one registry: its origin with its mirrors, each with a client of its own."""

    def __init__(
        self,
        settings: RegistrySettings,
        connect: Callable[[Endpoint], Client],
        hosts: Hosts,
        manifests: Manifests | None = None,
    ) -> None:
        self.identity = settings.name
        self._ways = settings.resolve
        self._connect = connect
        self._hosts = hosts
        self._manifests = manifests or Manifests()  # a manifest that one endpoint sent is not asked of another
        self._origin = self._upstream(settings.endpoint)
        self._mirrors = [self._upstream(mirror.endpoint, mirror) for mirror in settings.mirrors]
        self._made: dict[RepositoryName, Mirrored] = {}

    def source(self, name: RepositoryName) -> Mirrored:
        """The repository `name`; always the same object."""
        if name not in self._made:
            origin, *mirrors = (
                Branch(upstream, registry.source(name)) for upstream, registry in (self._origin, *self._mirrors)
            )
            self._made[name] = Mirrored(Place(self.identity, name), origin, mirrors, self._ways)
        return self._made[name]

    async def repositories(self) -> list[RepositoryName]:
        """Every repository that the origin lists."""
        return await self._origin[1].repositories()

    async def aclose(self) -> None:
        """Let go of connections."""
        for _, registry in (self._origin, *self._mirrors):
            await registry.aclose()

    def _upstream(self, endpoint: Endpoint, mirror: MirrorSettings | None = None) -> tuple[Upstream, PlainRegistry]:
        record, client = self._hosts.of(endpoint.name), self._connect(endpoint)
        registry = PlainRegistry(self.identity, endpoint, client, record, self._manifests)
        return Upstream(endpoint, self._hosts, mirror), registry
