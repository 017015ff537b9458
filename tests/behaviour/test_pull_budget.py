"""Docker Hub's pull budget: read, told, and not overdrawn; the rest is deferred."""

import json

import pytest

from syncer.app.parts import Outside
from syncer.app.session import Task, session
from syncer.config.load import load_text
from syncer.credentials.static import StaticKeychain
from syncer.engine.stop import Stop
from syncer.formats import text
from syncer.oci.origin import Origin
from syncer.report.exit_code import STOPPED_EARLY, exit_code
from syncer.report.schema import document
from syncer.sandbox.images import image
from syncer.sandbox.world import World

HUB = "registry-1.docker.io"
ONE = ["linux/amd64"]  # two pulls an image: its index, and one manifest


@pytest.fixture
async def world():
    async with World() as made:
        await made.add_registry("http://target.example")
        for name in ("a", "b", "c"):
            made.hub.put(name, "1", image(name, "1", ONE))
        yield made


async def ran(world, tmp_path, command="sync"):
    """The report of a run over the three images."""
    text_of_file = json.dumps({
        "version": 1,
        "registries": {"target.example": {"tls": {"plain_http": True}}},
        "targets": {"here": {"registry": "target.example"}},
        "defaults": {"targets": "here"},
        "images": [{"source": f"{name}:1"} for name in ("a", "b", "c")],
    })  # fmt: skip
    settings = load_text(text_of_file, "mirrors.yaml", {}, tmp_path)
    dial = {Origin.parse(real): Origin.parse(address) for real, address in world.dial.items()}
    outside = Outside(environ={}, dial=dial, docker=StaticKeychain({}))
    async with session(settings, outside, Task(command)) as run:
        plan = await run.plan()
        return run.preview(plan) if command == "plan" else await run.carry_out(plan, Stop())


def pulls(report):
    return next(host["pulls"] for host in document(report)["hosts"] if host["host"] == HUB)


async def test_a_plan_says_what_is_left_and_what_it_needs(world, tmp_path):
    report = await ran(world, tmp_path, "plan")

    assert pulls(report) == {"left": 94, "limit": 100, "window": 21600, "used": 6}
    line = "Docker Hub: 94 pulls of 100 left (window 6h00m), this plan needs 6"
    assert line in list(text.report_lines(report))


async def test_a_sync_reads_no_manifest_twice_and_says_what_it_took(world, tmp_path):
    report = await ran(world, tmp_path)

    assert exit_code(report) == 0
    assert "Docker Hub: 94 pulls of 100 left (window 6h00m), this run took 6" in list(text.report_lines(report))


async def test_what_the_budget_has_no_room_for_is_deferred_and_not_asked_for(world, tmp_path):
    world.hub.budget.limit = 4

    report = await ran(world, tmp_path)

    assert exit_code(report) == STOPPED_EARLY
    assert {outcome.failure.code for outcome in report.outcomes if outcome.failure} == {"E505"}
    assert pulls(report) == {"left": 0, "limit": 4, "window": 21600, "used": 4}
    assert [entry.status for entry in world.log.find(method="GET", path="/manifests/") if entry.status == 429] == []
