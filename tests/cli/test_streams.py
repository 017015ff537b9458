"""What a command does when nobody hears it, or its output has no room."""

import os
import threading

import pytest

FULL = ("sh", "-c", 'exec "$@" 2>/dev/full', "sh")
NO_ROOM = ("sh", "-c", 'exec "$@" >/dev/full', "sh")
CLOSED = ("sh", "-c", 'exec "$@" >&- 2>&-', "sh")


@pytest.mark.parametrize("before", [FULL, CLOSED], ids=["full", "closed"])
async def test_a_run_that_nobody_hears_does_its_work(town, before):
    town.publish("app:1", "app:2", "b:1")
    town.config("app:1", "app:2", "b:1")

    ran = await town.shell.run("sync", before=before)

    assert ran.code == 0
    assert [sorted(town.tags("app")), sorted(town.tags("b"))] == [["1", "2"], ["1"]]


async def test_a_run_that_nobody_hears_tells_by_its_exit_code(town):
    assert (await town.shell.run("sync", before=FULL)).code == 2
    assert (await town.shell.run("sync", before=CLOSED)).code == 2


async def test_a_report_without_room_is_no_success_and_no_bug(town):
    town.publish("app:1")
    town.config("app:1")

    ran = await town.shell.run("sync", before=NO_ROOM)

    assert ran.code == 1
    assert "error[E124]: stdout cannot be written" in ran.err
    assert list(town.tags("app")) == ["1"]


@pytest.mark.parametrize("args", [("check",), ("check", "nothing.yaml", "-o", "json"), ("schema",)])
async def test_output_without_room_is_told(town, args):
    town.config("app:1")

    ran = await town.shell.run(*args, before=NO_ROOM)

    assert ran.code == 2
    assert "error[E124]: stdout cannot be written" in ran.err
    assert "Traceback" not in ran.err


async def test_a_pipe_is_written_to_and_not_replaced(town):
    town.publish("app:1")
    town.config("app:1")
    pipe = town.shell.directory / "plan.pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()

    ran = await town.shell.run("plan", "--out", str(pipe))
    reader.join(10)

    assert ran.code == 0
    assert pipe.is_fifo()
    assert '"copies"' in read[0]


async def test_a_link_stays_one(town):
    town.publish("app:1")
    town.config("app:1")
    link = town.shell.directory / "latest.json"
    link.symlink_to("today.json")

    await town.shell.run("plan", "--out", str(link))

    assert link.is_symlink()
    assert '"copies"' in (town.shell.directory / "today.json").read_text()
