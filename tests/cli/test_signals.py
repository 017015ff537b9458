"""SIGINT and SIGTERM from outside: nothing incomplete is tagged, the report is complete, the exit code tells."""

import asyncio
import base64
import fcntl
import json
import os
import signal
import struct
import termios
import time

import pytest
from cli_town import ended, netloc, until

from syncer.sandbox import actions
from syncer.sandbox.faults import Fault

BOTH = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


def hang(server, **where):
    return server.server.faults.add(Fault(actions.hang(), **where))


@BOTH
async def test_a_signal_while_planning_ends_the_run_and_says_that_nothing_was_touched(town, number, code):
    fault = hang(town.origin, path="/manifests/")
    town.config("app:1")
    process = await town.shell.start("sync", "-o", "json")
    await until(lambda: fault.fired)

    process.send_signal(number)
    ran = await ended(process)

    assert ran.code == code
    assert f"{number.name}: stopped before anything was touched" in ran.err
    assert ran.document["exit_code"] == code
    assert ran.document["error"]["code"] == "E512"
    assert not town.world.log.find(method="PUT|POST|PATCH")


async def copying(town, *args, pace: int = 2000, **env):
    """A sync of three images, of which the first comes slowly."""
    town.publish("app:1", "b:2", "c:3")
    fault = town.origin.server.faults.add(Fault(actions.trickle(pace, 0.1), path="/app/blobs/"))
    town.config("app:1", "b:2", "c:3")
    process = await town.shell.start("sync", "--jobs", "1", "-o", "json", *args, **env)
    await until(lambda: fault.fired)
    return process


@BOTH
async def test_a_signal_while_copying_lets_what_is_under_way_be_finished(town, number, code):
    process = await copying(town)

    process.send_signal(number)
    ran = await ended(process)

    assert (ran.code, ran.document["run"]["exit_code"]) == (code, code)
    assert ran.statuses == ["copied", "deferred", "deferred"]
    assert list(town.tags("app")) == ["1"]
    assert town.tags("b") == town.tags("c") == {}
    assert f"{number.name}: finishing what can be finished in 25 s; again to stop now" in ran.err


async def hung(town, *args, **env):
    """A sync of two images whose layers never come."""
    town.publish("app:1", "b:2")
    fault = hang(town.origin, path="/blobs/")
    town.config("app:1", "b:2")
    process = await town.shell.start("sync", "-o", "json", *args, **env)
    await until(lambda: fault.fired)
    return process


async def drained_by(process, number) -> None:
    """A first signal has been heard."""
    process.send_signal(number)
    await asyncio.wait_for(process.stderr.readuntil(b"again to stop now"), 10)


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (signal.SIGTERM, signal.SIGTERM, 143),
        (signal.SIGINT, signal.SIGINT, 130),
        (signal.SIGINT, signal.SIGTERM, 130),
        (signal.SIGHUP, signal.SIGTERM, 143),
    ],
)
async def test_a_second_signal_stops_at_once_and_the_report_is_complete_all_the_same(town, first, second, code):
    process = await hung(town, "--report", "r.json")

    began = time.monotonic()
    await drained_by(process, first)
    process.send_signal(second)
    ran = await ended(process)

    assert (ran.code, ran.statuses) == (code, ["deferred", "deferred"])
    assert time.monotonic() - began < 5
    assert json.loads((town.shell.directory / "r.json").read_text()) == ran.document
    assert town.tags("app") == {}


async def test_a_third_signal_waits_for_no_report_and_says_so(town):
    process = await hung(town, "--report", "r.json")
    await drained_by(process, signal.SIGTERM)

    process.send_signal(signal.SIGSTOP)  # so that the two come together
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    ran = await ended(process)

    assert ran.code == 143
    assert ran.document["error"]["message"].endswith("stopped before the report was complete")
    assert not (town.shell.directory / "r.json").exists()
    assert town.tags("app") == {}


async def test_a_terminal_that_is_gone_is_heard_as_sigterm(town):
    process = await copying(town, pace=8000)

    process.send_signal(signal.SIGHUP)
    ran = await ended(process)

    assert (ran.code, ran.statuses) == (143, ["copied", "deferred", "deferred"])


@pytest.mark.parametrize(
    ("number", "before"),
    [(signal.SIGHUP, ("nohup",)), (signal.SIGINT, ("sh", "-c", 'trap "" INT; exec "$@"', "sh"))],
    ids=["nohup", "in the background of a script"],
)
async def test_a_signal_that_whoever_started_it_keeps_from_it_is_not_heard(town, number, before):
    process = await copying(town, pace=8000, before=before)

    process.send_signal(number)
    ran = await ended(process)

    assert (ran.code, ran.statuses) == (0, ["copied"] * 3)


async def test_a_signal_while_a_token_is_fetched_in_planning_ends_the_run(town):
    town.origin.ask_for_tokens({})
    fault = hang(town.origin, path="/token")
    town.config("app:1")
    process = await town.shell.start("sync", "-o", "json")
    await until(lambda: fault.fired)

    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    ran = await ended(process)

    assert (ran.code, ran.document["exit_code"]) == (143, 143)
    assert time.monotonic() - began < 4


async def test_a_signal_while_a_token_is_fetched_in_copying_leaves_a_complete_report(town):
    town.target.ask_for_tokens({"joe": "sesame"})
    login = {"auths": {netloc(town.target): {"auth": base64.b64encode(b"joe:sesame").decode()}}}
    town.shell.write(json.dumps(login), ".docker/config.json")
    fault = hang(town.target, path="/token", when=lambda request: "push" in request.query_string)
    town.publish("app:1", "b:2")
    town.config("app:1", "b:2")
    process = await town.shell.start("sync", "-o", "json", "--report", "r.json")
    await until(lambda: fault.fired)

    await drained_by(process, signal.SIGINT)
    process.send_signal(signal.SIGINT)
    ran = await ended(process)

    assert (ran.code, ran.statuses) == (130, ["deferred", "deferred"])
    assert json.loads((town.shell.directory / "r.json").read_text()) == ran.document


async def test_nobody_waits_for_a_program_that_hangs(town):
    """A credential helper of docker's, say: the thread that waits for it must not hold up the end."""
    called = town.shell.directory / "called"
    helper = town.shell.write(f"#!/bin/sh\ntouch {called}\nexec sleep 8 2>/dev/null\n", "bin/docker-credential-slow")
    helper.chmod(0o755)
    town.shell.write(json.dumps({"credHelpers": {town.source: "slow"}}), ".docker/config.json")
    town.origin.ask_for_passwords({"joe": "sesame"})
    town.config("app:1")
    process = await town.shell.start("sync", PATH=f"{helper.parent}:{os.environ['PATH']}")
    await until(called.exists)

    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    ran = await ended(process)

    assert ran.code == 143
    assert time.monotonic() - began < 4


@BOTH
async def test_a_signal_that_comes_early_is_not_lost(shell, number, code):
    """While the configuration is being read, from a pipe that nobody writes to."""
    pipe = shell.directory / "mirrors.yaml"
    os.mkfifo(pipe)
    process = await shell.start("sync")
    await until(lambda: has_reader(pipe))

    process.send_signal(number)
    ran = await ended(process)

    assert (ran.code, ran.out) == (code, "")
    assert f"{number.name}: stopped before anything was touched" in ran.err


async def test_a_signal_that_comes_late_is_not_lost_and_cuts_no_report(town):
    """While the report is written into a pipe that is full."""
    town.config(*(f"gone:{number}" for number in range(200)))
    reading, writing = os.pipe()
    process = await town.shell.start("sync", "-o", "json", "--progress", "none", stdout=writing, PYTHONUNBUFFERED="1")
    os.close(writing)
    await until(lambda: waiting(reading) >= PIPE)

    process.send_signal(signal.SIGTERM)
    with os.fdopen(reading) as pipe:
        document = json.loads(await asyncio.to_thread(pipe.read))

    assert await process.wait() == 143
    assert len(document["images"]) == 200


def slow_disk(seconds: float) -> tuple[str, ...]:
    """What makes every fsync of a command take so long; the command stays our own child."""
    return (
        "strace",
        "-D",
        "-f",
        "-qq",
        "-o",
        "trace",
        "-e",
        "trace=fsync",
        "-e",
        f"inject=fsync:delay_enter={seconds}s",
    )


async def writing(town, seconds: float):
    """A sync that is done, and writes its report to a disk that takes its time; there was a report before."""
    town.publish("app:1", "b:2")
    town.config("app:1", "b:2")
    town.shell.write("the report of yesterday", "r.json")
    process = await town.shell.start("sync", "--report", "r.json", before=slow_disk(seconds))
    draft = town.shell.directory / f".r.json.{process.pid}"
    await until(draft.exists)
    return process


@BOTH
async def test_a_signal_while_the_report_is_written_to_disk_cuts_nothing_short(town, number, code):
    process = await writing(town, 1)

    process.send_signal(number)
    ran = await ended(process)

    report = json.loads((town.shell.directory / "r.json").read_text())
    assert ran.code == code
    assert [image["status"] for image in report["images"]] == ["copied", "copied"]


async def test_two_signals_while_the_report_is_written_leave_the_old_one_or_the_new_one(town):
    process = await writing(town, 1)

    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)  # of each kind, only one can be waiting
    ran = await ended(process)

    report = (town.shell.directory / "r.json").read_text()
    assert ran.code in (130, 143)
    assert "stopped before the report was complete" in ran.err
    assert report == "the report of yesterday" or len(json.loads(report)["images"]) == 2
    assert list(town.shell.directory.glob(".r.json*")) == []


PIPE = 60_000  # bytes, of the 64 KiB that a pipe holds


def waiting(pipe: int) -> int:
    """How many bytes nobody has read yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def has_reader(pipe) -> bool:
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
