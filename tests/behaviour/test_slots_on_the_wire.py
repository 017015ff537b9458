"""The same as test_slots, with real clients: one slot at every host, whatever is read ahead of its upload."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from builders import blob, image

from syncer.attempts import Attempts, Policy
from syncer.clock import SteppedClock, SystemClock
from syncer.content.memory import Bytes
from syncer.content.places import Traits
from syncer.engine.local import LocalEngine
from syncer.engine.stop import Stop
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import Origin
from syncer.oci.reference import Reference
from syncer.plan.model import Copy, Destination, Plan
from syncer.registry.client import Clients
from syncer.registry.mirroring import MirroredRegistry
from syncer.registry.plain import PlainRegistry
from syncer.registry.surroundings import Deadlines, Surroundings
from syncer.report.events import unseen
from syncer.report.model import Status
from syncer.sandbox import actions
from syncer.sandbox.faults import Fault
from syncer.sandbox.log import Log
from syncer.sandbox.server import Server
from syncer.sandbox.store import Store
from syncer.sandbox.v2 import Registry
from syncer.settings.registries import Endpoint, Limits, MirrorSettings, RegistrySettings
from syncer.state.memory import MemoryState
from syncer.transfer.tuning import Tuning

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = (RepositoryName("a"), RepositoryName("b"))
HASTY = Surroundings(deadlines=Deadlines(head=0.3, stall=0.5))


def endpoint(server: Server) -> Endpoint:
    return Endpoint(Origin.parse(server.url), limits=Limits(in_flight=1))


class Places:
    """An origin with three mirrors, and three targets, of which the last never answers an upload."""

    def __init__(self, clients: Clients, sources: list[Server], targets: list[Server], traits: Traits) -> None:
        ends = [endpoint(server) for server in sources]
        mirrors = tuple(MirrorSettings(end, operator=end.name) for end in ends[1:])
        settings = RegistrySettings(ends[0].name, ends[0], mirrors)
        self.origin = MirroredRegistry(settings, clients.client, clients.hosts)
        self.targets = {
            name: self._target(clients, end, traits) for name, end in zip("xyz", map(endpoint, targets), strict=True)
        }

    def _target(self, clients: Clients, end: Endpoint, traits: Traits) -> PlainRegistry:
        return PlainRegistry(end.name, end, clients.client(end), clients.hosts.of(end.name), traits=traits)

    def source(self, reference: Reference):
        return self.origin.source(reference.repository)

    def registry(self, target: str) -> PlainRegistry:
        return self.targets[target]


async def published(server: Server) -> list:
    """Two images in two repositories: four large layers each, and two that may be read before their upload."""
    clients = Clients(SystemClock(), HASTY)
    end = Endpoint(Origin.parse(server.url))
    origin = PlainRegistry(end.name, end, clients.client(end), clients.hosts.of(end.name))
    images = []
    for name in NAMES:
        what = image(*(blob(f"{name} {n}", 3_000_000 if n < 4 else 100_000) for n in range(6)))
        for d in what.root.blobs:
            await origin.target(name).put_blob(d, Bytes(what.blobs[d.digest]))
        await origin.target(name).put_manifest(what.root, Tag("1"))
        images.append(what)
    await clients.aclose()
    return images


def planned(places: Places, images: list) -> Plan:
    copies = []
    for name, what in zip(NAMES, images, strict=True):
        root = what.root.descriptor
        to = [Destination(t, Reference(r.identity, name, Tag("1"))) for t, r in places.targets.items()]
        copies.append(Copy(Reference(places.origin.identity, name, Tag("1")), root, root, "origin", tuple(to)))
    return Plan("mirrors.yaml", "0" * 64, "2026-01-01T00:00:00+00:00", tuple(copies))


KINDS = pytest.mark.parametrize("traits", [Traits(), Traits(batches=True, mounts_uncommitted=False)])


async def ran(traits: Traits, spoil: Callable[[list[Server]], object]) -> tuple[list[bool], Log]:
    """Whether each delivery copied its image, those to the last target last; and what the sources were asked."""
    store, clients, log = Store(SystemClock()), Clients(SystemClock(), HASTY), Log()
    async with AsyncExitStack() as stack:
        sources = [await stack.enter_async_context(Server(f"s{n}", Registry(store))) for n in range(4)]
        stores = [Store(SystemClock()) for _ in range(3)]
        targets = [await stack.enter_async_context(Server(f"t{n}", Registry(s))) for n, s in enumerate(stores)]
        stack.push_async_callback(clients.aclose)
        images = await published(sources[0])
        for server in sources:
            server.log = log
        spoil(targets)
        places = Places(clients, sources, targets, traits)
        engine = LocalEngine(
            Attempts(Policy(attempts=2), SteppedClock()), SystemClock(), MemoryState(), tuning=Tuning(gather=0.2)
        )

        outcomes = await asyncio.wait_for(engine.run(planned(places, images), places, unseen, Stop()), 30)
    last = places.targets["z"].identity
    ordered = sorted(outcomes, key=lambda outcome: outcome.target.registry == last)
    return [outcome.status is Status.COPIED for outcome in ordered], log


@KINDS
async def test_three_mirrors_and_three_targets_one_of_them_dead(traits: Traits):
    copied, _ = await ran(traits, lambda targets: targets[-1].faults.add(Fault(actions.hang(), "PUT|POST")))

    assert copied == [True] * 4 + [False] * 2


@KINDS
async def test_an_upload_that_is_refused_at_first_holds_no_slot_that_its_successor_needs(traits: Traits):
    """Its second POST comes after those of others, whose reads then wait for the slots that its own read would hold."""

    def refuse_the_first(targets: list[Server]) -> None:
        for server in targets:
            server.faults.add(Fault(actions.reply(503), "POST", times=4))

    copied, log = await ran(traits, refuse_the_first)

    assert copied == [True] * 6
    asked = Counter(entry.path for entry in log.find(method="GET", path="/blobs/"))
    assert set(asked.values()) == {1}
