"""One run at a time for each mirrors.yaml: the others end at once and say who has it."""

from __future__ import annotations

import asyncio
import json
import signal
import time

from cli_town import ended, until

from syncer.sandbox import actions
from syncer.sandbox.faults import Fault


async def running(town, *args):
    """A sync that never ends by itself."""
    town.publish("app:1")
    town.config("app:1")
    fault = town.origin.server.faults.add(Fault(actions.hang(), path="/blobs/"))
    process = await town.shell.start("sync", *args)
    await until(lambda: fault.fired)
    return process


async def startup(town) -> float:
    """How long a command takes on this machine, now, that ends at the first thing that it reads."""
    began = time.monotonic()
    assert (await town.shell.run("sync", "-c", "nowhere.yaml")).code == 2
    return time.monotonic() - began


async def test_a_second_run_ends_within_a_second_and_names_the_first(town):
    first = await running(town)
    alone = await startup(town)
    asked = len(town.world.log.entries)

    began = time.monotonic()
    second = await town.shell.run("sync", "-o", "json")
    took = time.monotonic() - began
    first.kill()
    await ended(first)

    error = json.loads(second.out)["error"]
    assert (second.code, error["code"]) == (7, "E123")
    assert f"process {first.pid}, since 20" in error["message"]
    assert took < max(1, 2 * alone)
    assert len(town.world.log.entries) == asked


async def test_of_ten_that_start_at_once_one_runs(town):
    town.publish("app:1")
    town.config("app:1")
    fault = town.origin.server.faults.add(Fault(actions.hang(), path="/blobs/"))
    processes = await asyncio.gather(*(town.shell.start("sync") for _ in range(10)))

    await until(lambda: fault.fired and sum(process.returncode is not None for process in processes) == 9, 60)
    (runs,) = (process for process in processes if process.returncode is None)
    runs.kill()
    codes = sorted([(await ended(process)).code for process in processes])

    assert codes == [-9, *[7] * 9]
    assert len({entry.path for entry in town.world.log.find(path="/app/blobs/", method="GET")}) == fault.fired


async def test_a_run_that_was_killed_stands_in_nobodys_way(town):
    first = await running(town)
    first.send_signal(signal.SIGKILL)
    await ended(first)
    town.origin.server.faults.clear()

    assert (await town.shell.run("sync")).code == 0
    assert list(town.tags("app")) == ["1"]
