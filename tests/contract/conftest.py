"""The implementations that each contract suite is run by."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pytest
import servers

from syncer.clock import SystemClock
from syncer.content.memory import Bytes, MemoryRegistry
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import Origin
from syncer.registry.client import Clients
from syncer.registry.mirroring import MirroredRegistry
from syncer.registry.plain import PlainRegistry
from syncer.sandbox.server import Server
from syncer.sandbox.store import Store
from syncer.sandbox.v2 import Registry as Played
from syncer.settings.registries import Endpoint, MirrorSettings, RegistrySettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from builders import Image

    from syncer.content.places import Registry, Source, Target

_NUMBERS = count(1)


def endpoint(url: str) -> Endpoint:
    return Endpoint(Origin.parse(url))


def plain(clients: Clients, url: str) -> PlainRegistry:
    at = endpoint(url)
    return PlainRegistry(at.name, at, clients.client(at), clients.hosts.of(at.name))


async def push(target: Target, image: Image, tag: str | None = None) -> None:
    """Put a whole image, children first."""
    for node in image.nodes:
        for d in getattr(node, "blobs", ()):
            await target.put_blob(d, Bytes(image.blobs[d.digest]))
        await target.put_manifest(node, Tag(tag) if tag and node is image.root else None)


@pytest.fixture(scope="session")
def real_registry(tmp_path_factory):
    with servers.docker_registry(tmp_path_factory.mktemp("contract")) as running:
        yield running.url


@pytest.fixture
def name() -> RepositoryName:
    """A repository that no other test uses."""
    return RepositoryName(f"team/app{next(_NUMBERS)}")


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    made = Clients(SystemClock())
    yield made
    await made.aclose()


@asynccontextmanager
async def played(clients: Clients) -> AsyncIterator[PlainRegistry]:
    async with Server("plain", Played(Store(SystemClock()))) as server:
        yield plain(clients, server.url)


@pytest.fixture(params=["memory", "sandbox", "docker-registry"])
async def registry(request, clients: Clients) -> AsyncIterator[Registry]:
    """Each kind of registry, running."""
    if request.param == "memory":
        yield MemoryRegistry()
    elif request.param == "sandbox":
        async with played(clients) as made:
            yield made
    else:
        yield plain(clients, request.getfixturevalue("real_registry"))


@pytest.fixture
def target(registry: Registry, name: RepositoryName) -> Target:
    return registry.target(name)


@dataclass
class Readable:
    """A source, and the places to write that it reads from."""

    source: Source
    behind: list[Target]
    hosts: set[str]

    async def hold(self, image: Image, tag: str | None = None) -> Image:
        for target in self.behind:
            await push(target, image, tag)
        return image


@pytest.fixture(params=["memory", "sandbox", "docker-registry", "mirrored"])
async def readable(request, clients: Clients, name: RepositoryName) -> AsyncIterator[Readable]:
    """Each kind of source, with what it takes to fill it."""
    if request.param == "memory":
        made = MemoryRegistry()
        yield Readable(made.source(name), [made.target(name)], {made.identity})
    elif request.param == "docker-registry":
        real = plain(clients, request.getfixturevalue("real_registry"))
        yield Readable(real.source(name), [real.target(name)], {real.identity})
    elif request.param == "sandbox":
        async with played(clients) as one:
            yield Readable(one.source(name), [one.target(name)], {one.identity})
    else:
        async with played(clients) as origin, played(clients) as mirror:
            mirrors = (MirrorSettings(endpoint(f"http://{mirror.identity}"), operator="m"),)
            settings = RegistrySettings("origin.example", endpoint(f"http://{origin.identity}"), mirrors)
            source = MirroredRegistry(settings, clients.client, clients.hosts).source(name)
            yield Readable(source, [origin.target(name), mirror.target(name)], {origin.identity, mirror.identity})
