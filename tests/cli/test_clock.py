"""A machine whose clock is off by thirteen hours: the same results, and no waits that its clock alone asks for."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from syncer.sandbox import actions
from syncer.sandbox.faults import Fault


@pytest.mark.parametrize("off", ["-13h", "+13h"])
async def test_results_are_right_and_a_wait_is_as_long_as_the_server_meant_it(town, off):
    town.publish("app:1", "b:2")
    town.config("app:1", "b:2")
    wait = actions.reply(429, b"", {"Retry-After": formatdate(time.time() + 2, usegmt=True)})
    fault = town.origin.server.faults.add(Fault(wait, path="/app/manifests/", times=1))
    clock = ("faketime", "-f", off)

    began = time.monotonic()
    first = await town.shell.run("sync", "-o", "json", before=clock, DONT_FAKE_MONOTONIC="1")
    again = await town.shell.run("sync", "-o", "json")

    assert (first.code, first.statuses, fault.fired) == (0, ["copied", "copied"], 1)
    assert (again.code, again.statuses) == (0, ["up_to_date", "up_to_date"])
    assert time.monotonic() - began < 20
    there = time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + int(off[:3]) * 3600))
    assert first.document["run"]["started"][:11] == there[:11]
