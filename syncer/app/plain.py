"""How any other registry is put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.content.places import Traits
from syncer.registry.plain import PlainRegistry

if TYPE_CHECKING:
    from syncer.app.parts import Parts
    from syncer.content.places import Registry
    from syncer.settings.targets import TargetSettings


def registry(target: TargetSettings, parts: Parts) -> Registry:
    """The registry that `target` describes."""
    endpoint = parts.endpoint(target.registry)
    client = parts.clients.client(endpoint, parts.keychain(endpoint))
    record, traits = parts.clients.hosts.of(endpoint.name), Traits(sparse_indexes=target.sparse_indexes)
    return PlainRegistry(target.registry, endpoint, client, record, traits=traits)
