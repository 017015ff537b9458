"""One repository of the sandbox's plain registry, whose every request can be made to go wrong."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from syncer.clock import SystemClock
from syncer.content.memory import Bytes
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import Origin
from syncer.registry.client import Clients
from syncer.registry.plain import PlainRegistry
from syncer.registry.surroundings import Deadlines, Surroundings
from syncer.sandbox.faults import Fault
from syncer.sandbox.server import Server
from syncer.sandbox.store import Store
from syncer.sandbox.v2 import Registry
from syncer.settings.registries import Endpoint

NAME = RepositoryName("team/app")


@dataclass
class Scene:
    """A registry that runs, and the client's view of it."""

    server: Server
    store: Store
    registry: PlainRegistry

    @property
    def app(self):
        return self.registry.target(NAME)

    @property
    def host(self) -> str:
        return self.registry.identity

    @property
    def requests(self) -> list[str]:
        """What was asked so far: "PUT manifests"."""
        return [f"{entry.method} {_kind(entry.path)}" for entry in self.server.log.entries]

    def fault(self, action, method="", path="", **more) -> Fault:
        return self.server.faults.add(Fault(action, method, path, **more))

    async def push(self, image, tag=None):
        """Put a whole image, and forget the requests that it took."""
        for node in image.nodes:
            for d in getattr(node, "blobs", ()):
                await self.app.put_blob(d, Bytes(image.blobs[d.digest]))
            await self.app.put_manifest(node, Tag(tag) if tag and node is image.root else None)
        self.server.log.clear()


def _kind(path: str) -> str:
    kinds = ("uploads", "blobs", "manifests", "referrers", "tags", "_catalog")
    return next((kind for kind in kinds if f"/{kind}" in path), path)


@pytest.fixture
async def at():
    store = Store(SystemClock())
    clients = Clients(SystemClock(), Surroundings(deadlines=Deadlines(head=0.5, stall=0.5)))
    async with Server("registry", Registry(store)) as server:
        endpoint = Endpoint(Origin.parse(server.url))
        client = clients.client(endpoint)
        yield Scene(server, store, PlainRegistry(endpoint.name, endpoint, client, clients.hosts.of(endpoint.name)))
        await clients.aclose()
