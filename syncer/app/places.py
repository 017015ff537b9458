"""Where the references of a plan are: each registry is put together once, when it is first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.app import kinds
from syncer.errors import Usage
from syncer.registry.kept import Manifests
from syncer.registry.mirroring import MirroredRegistry

if TYPE_CHECKING:
    from syncer.app.parts import Parts
    from syncer.content.places import Registry, Source
    from syncer.oci.reference import Reference
    from syncer.registry.http import Client
    from syncer.settings.registries import Endpoint


class WiredPlaces:
    """The Places of a configuration."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sources: dict[str, MirroredRegistry] = {}
        self._targets: dict[str, Registry] = {}
        self._read = Manifests()  # of all sources; never of targets, which are looked at to see what is really there

    def source(self, reference: Reference) -> Source:
        """The repository that `reference` is read from, with the mirrors of its registry."""
        name = reference.registry
        if name not in self._sources:
            settings = self._parts.registry(name)
            self._sources[name] = MirroredRegistry(settings, self._connect, self._parts.clients.hosts, self._read)
        return self._sources[name].source(reference.repository)

    def registry(self, target: str) -> Registry:
        """The registry that mirrors.yaml calls `target`."""
        if target not in self._targets:
            settings = self._parts.settings.targets.get(target)
            if settings is None:
                raise Usage(f"there is no target {target} in {self._parts.settings.path}")
            make = kinds.load(kinds.TARGETS[kinds.target_kind(settings.registry)])
            self._targets[target] = make(settings, self._parts)
        return self._targets[target]

    def _connect(self, endpoint: Endpoint) -> Client:
        return self._parts.clients.client(endpoint, self._parts.keychain(endpoint))
