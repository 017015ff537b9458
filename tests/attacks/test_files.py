"""S7, S23, S25, S31: what lies on disk and in the environment may be damaged, planted or nonsense."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import traceback
from datetime import UTC, datetime

import pytest
from hostile_registry import NAME, HostileRegistry
from victim import AUTH, leaks, settings

from syncer.clock import SystemClock
from syncer.credentials.docker_config import DockerConfigKeychain
from syncer.errors import HelperFailed
from syncer.oci.digest import Digest
from syncer.oci.origin import Origin
from syncer.oci.reference import Reference
from syncer.state.directory import opened
from syncer.state.records import Confirmed

CLOCK = SystemClock()
TARGET = Reference.parse("registry.example.com/base/nginx:1.27")
SEEN = Confirmed(Reference.parse("nginx:1.27"), Digest.of(b"a"), Digest.of(b"a"), datetime(2026, 11, 24, tzinfo=UTC))
HOST = "registry.example.com"
CANARY = "c4nary-in-the-file"

POISON = {
    "a digest that is a path": "UPDATE confirmed SET digest = 'sha256:../../x'",
    "a time without a zone": "UPDATE confirmed SET at = '2026-11-24T00:00:00'",
    "a time that is none": "UPDATE confirmed SET at = 'yesterday'",
    "a number": "UPDATE confirmed SET at = 5, digest = 7",
    "bytes": "UPDATE confirmed SET source = x'ff00', at = x'ff00'",
    "text that is no UTF-8": "UPDATE confirmed SET at = CAST(x'ff' AS TEXT)",
    "no table": "DROP TABLE confirmed",
    "other columns": "DROP TABLE confirmed; CREATE TABLE confirmed (a)",
    "a view": "DROP TABLE confirmed; CREATE VIEW confirmed AS SELECT 1",
}


@pytest.mark.parametrize("poison", POISON)
def test_a_poisoned_state_knows_nothing_and_stops_nothing(tmp_path, poison):
    with opened(tmp_path, tmp_path / "m.yaml", CLOCK) as state:
        state.state.confirm(TARGET, SEEN)
    db = sqlite3.connect(tmp_path / "state.sqlite")
    db.executescript(POISON[poison])
    db.close()

    with opened(tmp_path, tmp_path / "m.yaml", CLOCK) as state:
        assert state.state.confirmed(TARGET) is None
        state.state.confirm(TARGET, SEEN)


def test_a_state_with_damaged_pages_knows_nothing_and_stops_nothing(tmp_path):
    with opened(tmp_path, tmp_path / "m.yaml", CLOCK) as state:
        for number in range(200):
            state.state.confirm(Reference.parse(f"registry.example.com/base/nginx:{number}"), SEEN)
    path = tmp_path / "state.sqlite"
    whole = path.read_bytes()
    assert len(whole) > 4 * 4096
    path.write_bytes(whole[:4096] + bytes(byte ^ 0x55 for byte in whole[4096:]))

    with opened(tmp_path, tmp_path / "m.yaml", CLOCK) as state:
        assert state.state.confirmed(Reference.parse("registry.example.com/base/nginx:5")) is None
        state.state.confirm(TARGET, SEEN)


@pytest.mark.parametrize("name", ["state.sqlite", "lock"])
def test_a_link_that_was_planted_is_not_followed(tmp_path, name):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    place = tmp_path / "state"
    with opened(place, tmp_path / "m.yaml", CLOCK):
        found = next(path for path in place.iterdir() if path.name.endswith(name))
    found.unlink()
    found.symlink_to(victim)

    with opened(place, tmp_path / "m.yaml", CLOCK) as state:
        assert "cannot be used" in state.warnings[0]
        state.state.confirm(TARGET, SEEN)

    assert victim.read_text() == "precious"


@pytest.fixture
async def honest():
    async with HostileRegistry(["wants-basic"]).running() as registry:
        yield registry


@pytest.fixture
async def target():
    async with HostileRegistry(empty=True).running() as registry:
        yield registry


async def test_a_report_is_not_written_through_a_link_beside_it(shell, honest, target):
    """The draft of a report has a name that can be foretold; `sh` says which, and plants a link there."""
    victim = shell.write("precious", "victim")
    shell.write(settings(honest, target, registry={"auth": AUTH}))

    planted = ("sh", "-c", 'ln -s victim ".report.json.$$" && exec "$@"', "sh")
    ran = await shell.run("plan", "--out", "plan.json", "--report", "report.json", before=planted)

    assert ran.code == 0
    assert victim.read_text() == "precious"
    assert json.loads((shell.directory / "report.json").read_text())["totals"]["images"] == 1


async def test_whatever_the_umask_state_and_spool_are_closed_to_others(shell, honest, target):
    shell.write(settings(honest, target, registry={"auth": AUTH}))

    ran = await shell.run("sync", before=("sh", "-c", 'umask 0 && exec "$@"', "sh"))

    assert ran.code == 0
    state = shell.directory / "state"
    assert [path.name for path in state.iterdir()]
    assert {path.stat().st_mode & 0o077 for path in (state, state / "spool")} == {0}


async def test_a_variable_of_bytes_that_are_no_text_is_sent_as_it_is_and_hidden(shell, target):
    secret = b"c4nary-\xff\xfe-bytes"
    pair = base64.b64encode(b"me:" + secret)

    async with HostileRegistry(["no-head", "wants-basic", "says-it-back"]).running() as hostile:
        shell.write(
            settings(hostile, target, registry={"auth": {"username": "me", "password": "${REGISTRY_PASSWORD}"}})
        )
        ran = await shell.run("sync", "-v", "--retries", "0", REGISTRY_PASSWORD=os.fsdecode(secret))

    assert ran.code == 3
    assert pair in hostile.server.received
    assert leaks(ran.out + ran.err, [secret.decode("latin-1"), pair.decode()]) == []
    assert f"{hostile.netloc} answers 403" in ran.out


def auth(text: bytes) -> dict[str, str]:
    return {"auth": base64.b64encode(text).decode()}


CONFIGS = {
    "a list": [],
    "null": None,
    "a number": 5,
    "auths of text": {"auths": CANARY},
    "auths of a number": {"auths": 7},
    "an entry of text": {"auths": {HOST: CANARY}},
    "an entry of null": {"auths": {HOST: None}},
    "auth of a number": {"auths": {HOST: {"auth": 5}}},
    "auth of null": {"auths": {HOST: {"auth": None}}},
    "auth of a list": {"auths": {HOST: {"auth": [CANARY]}}},
    "auth that is no base64": {"auths": {HOST: {"auth": CANARY}}},
    "auth without a colon": {"auths": {HOST: auth(CANARY.encode())}},
    "auth that is no text": {"auths": {HOST: auth(b"\xff:" + CANARY.encode())}},
    "auth in another script": {"auths": {HOST: {"auth": "\u00e4" + CANARY}}},
    "a token of a number": {"auths": {HOST: auth(b"a:b") | {"identitytoken": 5}}},
    "helpers of text": {"credHelpers": CANARY},
    "a helper of a number": {"credHelpers": {HOST: 5}},
    "a helper that is a path": {"credHelpers": {HOST: "../../bin/sh"}},
    "a helper that is a command": {"credHelpers": {HOST: "x; touch pwned"}},
    "a store of a number": {"credsStore": 5},
    "a store of a list": {"credsStore": [CANARY]},
}


@pytest.mark.parametrize("config", CONFIGS)
async def test_a_config_of_docker_s_that_is_nonsense_is_named_and_not_quoted(tmp_path, config):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIGS[config]))

    with pytest.raises(HelperFailed) as caught:
        await DockerConfigKeychain(path).credential(Origin.parse(f"https://{HOST}"))

    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert not (tmp_path / "pwned").exists()


async def test_a_config_of_docker_s_that_is_nested_without_end_is_named(tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(b"[" * 100_000)

    with pytest.raises(HelperFailed):
        await DockerConfigKeychain(path).credential(Origin.parse(f"https://{HOST}"))


async def test_nonsense_of_docker_s_ends_in_a_failure_with_a_next_step(shell, honest, target):
    shell.write('{"auths": {"x.example": {"auth": null}}}', ".docker/config.json")
    shell.write(settings(honest, target))

    ran = await shell.run("sync")

    assert ran.code == 3
    assert "config.json" in ran.out
    assert NAME in ran.out
