"""Two real registries with fault proxies before them, and runs of syncer within the test's own process.

Waiting costs nothing there, since the clock only steps; how long servers may take is real, and short.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import corpus
import faultproxy
import pytest
import servers
from running import one
from store_reader import Store

from syncer.app.parts import Outside
from syncer.app.session import Task, session
from syncer.clock import SteppedClock
from syncer.config.load import load
from syncer.engine.stop import Stop
from syncer.state.spool import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from faultproxy import Proxy, Rule
    from servers import RealRegistry

    from syncer.report.model import Outcome, Report

QUICK = {"connect": "1s", "headers": "1s", "stall": "500ms", "floor": 50_000, "window": "500ms"}


@dataclass
class Lab:
    """A source and a target behind proxies; every test has a repository of its own there."""

    source: RealRegistry
    target: RealRegistry
    near: Proxy  # before the source
    far: Proxy  # before the target
    repository: str
    directory: Path
    clock: SteppedClock = field(default_factory=SteppedClock)

    def publish(self, image: corpus.Document, *tags: str) -> corpus.Document:
        corpus.Door(self.source.host).push(self.repository, image, *(tags or ("v1",)))
        return image

    def faulty(self, *rules: Rule, at_target: bool = False) -> None:
        (self.far if at_target else self.near).add(*rules)

    async def sync(self, *tags: str, retries: int = 5, **more: Any) -> Report:
        sections = one(
            f"{self.near.host}/{self.repository}", self.repository, {"there": self.far.host}, [*tags] or ["v1"]
        )
        sections["defaults"]["timeouts"] = QUICK
        (self.directory / "mirrors.yaml").write_text(json.dumps({"version": 1, **sections, **more}))
        settings, task = load(self.directory / "mirrors.yaml", {}), Task("sync", retries=retries)
        async with session(settings, Outside(self.clock, {}), task) as run:
            with opened(self.directory / "spool", self.clock) as found:
                return await run.carry_out(await run.plan(), Stop(), spool=found.spool)

    async def outcome(self, *tags: str, **more: Any) -> Outcome:
        (outcome,) = (await self.sync(*tags, **more)).outcomes
        return outcome

    def stored(self, tag: str = "v1") -> str | None:
        """What the tag means at the target, by its files; None where anything below it is not there or not right."""
        store = Store(self.target.storage)
        return None if store.wrong(self.repository) else store.tags(self.repository).get(f"{self.repository}:{tag}")


@pytest.fixture(scope="session")
def ends(tmp_path_factory) -> Iterator[tuple[RealRegistry, RealRegistry]]:
    with ExitStack() as stack:
        yield tuple(
            stack.enter_context(servers.docker_registry(tmp_path_factory.mktemp(name))) for name in ("source", "target")
        )


@pytest.fixture
def lab(ends, tmp_path, request) -> Iterator[Lab]:
    source, target = ends
    name = corpus.digest_of(request.node.nodeid.encode())[7:23]
    with faultproxy.before(source.host) as near, faultproxy.before(target.host) as far:
        yield Lab(source, target, near, far, f"f/{name}", tmp_path)
