"""Every run that reaches a registry is legal by an oracle that knows the protocol and nothing of syncer."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from wire_oracle import illegal

from syncer.app.parts import Outside
from syncer.app.session import Task, session
from syncer.config.load import load_text
from syncer.credentials.static import StaticKeychain
from syncer.engine.stop import Stop
from syncer.oci.origin import Origin
from syncer.sandbox import gallery
from syncer.sandbox.actions import reply
from syncer.sandbox.faults import Fault
from syncer.sandbox.images import image
from syncer.sandbox.world import World
from syncer.state.memory import MemoryState

TAGS = ("1", "2")
FILE = """
version: 1
registries: {docker.io: {limits: {per_second: 0}}}
targets: {plain: {registry: plain.example.com}}
images:
  - {source: nginx, target: base/nginx, tags: ["1", "2"], referrers: true}
  - {source: nginx, target: copy/nginx, tags: ["1"]}
  - {source: app, target: base/app, tags: ["1"]}
"""


class Place:
    """A plain registry as the only target, and what it was asked."""

    def __init__(self, world: World, registry, tmp_path) -> None:
        self.world = world
        self.registry = registry
        self._settings = load_text(FILE, "mirrors.yaml", {}, tmp_path)
        self._state = MemoryState()

    async def sync(self):
        """One run; what the target was asked in it."""
        before = len(self.world.log.entries)
        dial = {Origin.parse(name): Origin.parse(real) for name, real in self.world.dial.items()}
        outside = Outside(environ=MappingProxyType({}), dial=dial, docker=StaticKeychain({}))
        async with session(self._settings, outside, Task("sync", jobs=8), self._state) as run:
            await run.carry_out(await run.plan(), Stop())
        return [entry for entry in self.world.log.entries[before:] if entry.server == self.registry.server.name]

    def held(self, repository: str, digest: str) -> bytes | None:
        found = self.registry.store.find(repository)
        return found.manifests[digest].raw if found and digest in found.manifests else None

    def judged(self, entries) -> list[str]:
        return illegal(entries, TAGS, self.held)


@pytest.fixture
async def place(tmp_path):
    async with World() as world:
        registry = await world.add_registry("https://plain.example.com")
        for tag in TAGS:
            world.hub.put("nginx", tag, image("nginx", tag))
        world.hub.put("app", "1", gallery.attested())
        yield Place(world, registry, tmp_path)


async def test_a_first_run_a_second_one_and_a_moved_tag_are_legal(place):
    for edition in ("1", "1", "3"):
        place.world.hub.put("nginx", "1", image("nginx", edition))
        assert place.judged(await place.sync()) == []
    assert set(place.registry.store["base/nginx"].tags) == set(TAGS)


@pytest.mark.parametrize("fault", ["uploads/", "manifests/", "blobs/"])
async def test_a_run_in_trouble_is_legal(place, fault):
    place.registry.server.faults.add(Fault(reply(503), path=fault, times=3))
    entries = await place.sync()
    assert any(entry.status == 503 for entry in entries)
    assert place.judged(entries) == []


async def test_the_oracle_sees_what_is_left_out_or_done_too_early(place):
    entries = await place.sync()
    needed = [e for e in entries if e.status == 201 and e.method in ("PUT", "POST")]
    roots = [e for e in needed if e.path.rpartition("/")[2] in TAGS]
    for gone in (e for e in needed if e not in roots):
        assert place.judged([e for e in entries if e is not gone]), gone.path
    for early in roots:
        assert place.judged([early, *(e for e in entries if e is not early)]), early.path


async def test_the_oracle_sees_deletions_and_foreign_tags(place):
    entries = await place.sync()
    put = next(e for e in entries if e.method == "PUT" and e.path.endswith("/manifests/1"))
    assert place.judged([*entries, replace(put, method="DELETE", status=202)])
    assert place.judged([*entries, replace(put, path=put.path + "0")])
