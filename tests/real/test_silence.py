"""A target that takes connections and never says a word."""

from __future__ import annotations

import json
import socket
import time

import corpus
import pytest
from running import one

from syncer.app.parts import Outside
from syncer.app.session import Task, session
from syncer.config.load import load
from syncer.engine.stop import Stop
from syncer.registry.surroundings import Deadlines

TAGS = [f"v{n}" for n in range(80)]  # more than are asked for at a time


@pytest.fixture
def silent():
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


async def test_a_silent_target_costs_one_deadline_however_many_tags(source, target, silent, tmp_path):
    corpus.Door(source.host).push("app", corpus.image([corpus.layer("app")]), *TAGS)
    sections = one(f"{source.host}/app", "app", {"there": target.host, "silent": silent}, TAGS)
    (tmp_path / "mirrors.yaml").write_text(json.dumps({"version": 1, **sections}))
    outside = Outside(deadlines=Deadlines(lookup=1, connect=1, head=1))
    began = time.monotonic()
    async with session(load(tmp_path / "mirrors.yaml", {}), outside, Task("sync")) as run:
        report = await run.carry_out(await run.plan(), Stop())
    assert time.monotonic() - began < 8
    became = [(outcome.target.registry, outcome.status.value) for outcome in report.outcomes]
    assert became.count((target.host, "copied")) == became.count((silent, "failed")) == len(TAGS)
