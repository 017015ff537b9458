"""Progress: a live region on a terminal, plain lines with a heartbeat elsewhere, nothing where it is not wanted."""

import asyncio
import fcntl
import io
import json
import os
import pty
import re
import struct
import termios

import pytest
from cli_town import ended

from syncer.cli.progress.plain import HEARTBEAT, Plain
from syncer.clock import SteppedClock
from syncer.oci.digest import Digest
from syncer.oci.reference import Reference
from syncer.report.events import BlobMoved, BlobStarted, ImageFinished, Noted, RunStarted
from syncer.report.model import Outcome, Status
from syncer.sandbox import actions
from syncer.sandbox.faults import Fault

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SOURCE = Reference.parse("nginx:1.27")
TARGET = Reference.parse("target.example/base/nginx:1.27")


class Terminal:
    """A terminal of that many columns, which keeps what it was sent."""

    def __init__(self, columns: int) -> None:
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.got = b""
        self.gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.ours, self._read)

    def _read(self) -> None:
        try:
            self.got += os.read(self.ours, 65536)
        except OSError:  # nobody has the other end any more
            asyncio.get_running_loop().remove_reader(self.ours)
            os.close(self.ours)
            self.gone.set()

    @property
    def text(self) -> str:
        return self.got.decode()

    @property
    def lines(self) -> list[str]:
        """What stood in any line at any time, without escapes."""
        return [ESCAPE.sub("", line) for line in re.split(r"[\r\n]+", self.text)]


async def watched(town, columns: int, **env: str) -> Terminal:
    """A sync of a slow blob and an image that fails, watched on a terminal."""
    long = f"team/{'very-long-' * 8}name"
    town.publish(f"{long}:1")
    town.origin.server.faults.add(Fault(actions.trickle(4000, 0.06), path="/blobs/"))
    town.config(f"{long}:1", "gone:1")
    terminal = Terminal(columns)
    process = await town.shell.start("sync", stderr=terminal.theirs, TERM="xterm-256color", **env)
    os.close(terminal.theirs)
    await ended(process)
    await asyncio.wait_for(terminal.gone.wait(), 5)
    return terminal


@pytest.mark.parametrize("columns", [40, 80])
async def test_a_terminal_gets_one_live_region_that_fits_and_goes_away(town, columns):
    terminal = await watched(town, columns)

    drawn = [line for line in terminal.lines if "/2 images" in line]
    assert drawn
    assert any("━" in line for line in terminal.lines)
    assert all(len(line) <= columns for line in drawn if not line.startswith("failed"))
    assert "gone:1" in terminal.text  # the failure, above the region
    assert ESCAPE.sub("", terminal.text.rsplit("\x1b[2K", 1)[-1]).strip() == ""  # nothing is left of it


async def test_no_color_means_no_colour(town):
    coloured = COLOUR.findall((await watched(town, 80)).text)
    plain = COLOUR.findall((await watched(town, 80, NO_COLOR="1")).text)

    assert any("31" in code for code in coloured)
    assert not any(re.search(r"[\[;]3[0-7]", code) for code in plain)


async def test_quiet_leaves_failures_and_the_verdict(town):
    town.publish("app:1")
    town.config("app:1", "gone:1")

    ran = await town.shell.run("sync", "-q")

    assert ran.err == ""
    assert ran.out.startswith("1 image failed: E508")
    assert ran.last.startswith("sync: 1 copied, 1 failed; ")
    assert ran.last.endswith("; exit 1")


async def test_a_pipe_gets_a_line_for_each_image_that_changed_and_with_v_for_the_others(town):
    town.publish("app:1")
    town.config("app:1")
    first = await town.shell.run("sync")
    second = await town.shell.run("sync")
    verbose = await town.shell.run("sync", "-v")

    assert re.fullmatch(r"\d\d:\d\d:\d\d copied +\S+/app:1 -> \S+/app:1  sha256:\w{12}  .*via=\S+\n", first.err)
    assert second.err == ""
    assert re.fullmatch(r"\d\d:\d\d:\d\d up to date .*\n", verbose.err)


async def test_json_lines_are_all_that_stderr_gets(town):
    town.publish("app:1")
    town.config("app:1", "gone:1")

    ran = await town.shell.run("sync", "--log-format", "json")
    broken = await town.shell.run("sync", "--log-format", "json", "-c", "absent.yaml")

    kinds = [json.loads(line)["kind"] for line in (ran.err + broken.err).splitlines()]
    assert kinds == ["image", "image", "error"]


async def test_the_heart_beats_every_30_seconds():
    stream, clock = io.StringIO(), Ticking(beats=2)
    plain = Plain(stream, clock, every=False, as_json=False)

    async with plain.running():
        plain(RunStarted(3, 1000))
        plain(BlobStarted(SOURCE, Digest.of(b"x"), 600))
        plain(BlobMoved(Digest.of(b"x"), 600, "m.example"))
        await clock.over.wait()

    beats = stream.getvalue().splitlines()
    assert clock.slept[:2] == [HEARTBEAT, HEARTBEAT] == [30, 30]
    assert [line[8:] for line in beats] == [
        " progress  0/3 images  600 B  20 B/s  30.0 s",
        " progress  0/3 images  600 B  10 B/s  1m00s",
    ]


class Ticking(SteppedClock):
    """Lets so many sleeps end, and no more."""

    def __init__(self, beats: int) -> None:
        super().__init__()
        self._left = beats
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self._left == 0:
            self.over.set()
            await asyncio.Event().wait()
        self._left -= 1


async def test_what_a_registry_says_cannot_steer_a_terminal(town):
    """S28: escapes, bells and turns of direction from the network are written out."""
    hostile = "\x1b]0;owned\x07\x1b[2J\u202e\r\n"
    body = json.dumps({"errors": [{"code": "DENIED", "message": hostile}]}).encode()
    town.publish("app:1")
    town.origin.server.faults.add(Fault(actions.reply(403, body), path="/manifests/", method="GET"))
    town.config("app:1")

    ran = await town.shell.run("sync", "--report", "r.txt")

    assert ran.code == 3
    assert "]0;owned" in ran.out  # it is shown, and harmless
    written = (town.shell.directory / "r.txt").read_text()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", ran.out + ran.err + written)


async def test_a_note_cannot_steer_a_log_either():
    stream = io.StringIO()
    plain = Plain(stream, SteppedClock(), every=False, as_json=False)

    plain(Noted("m.example says \x1b[2J"))
    plain(ImageFinished(Outcome(SOURCE, TARGET, Status.COPIED, via=("\x1b[31m",))))

    assert "\x1b" not in stream.getvalue()
