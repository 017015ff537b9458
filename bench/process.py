"""Running a program and saying what it took: seconds, CPU seconds of it and its children, memory."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

TICK = 0.01  # seconds between two looks at memory
LONGEST = 1800.0  # seconds that one run may take
TAIL = 2000  # characters of stderr that are kept


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to start: commands, so many of them at a time, each waiting for nothing but its turn."""

    commands: Sequence[Sequence[str]]
    at_once: int = 1
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a recipe took."""

    seconds: float
    cpu: float  # seconds, user and system
    peak: int  # bytes; of processes that ran at the same time, the sum of their peaks
    failed: int  # commands that ended with another code than 0
    said: str  # the end of their stderr


class Watch:
    """Looks at the memory of running processes.

    VmHWM belongs to the program; ru_maxrss would count the parent's memory too, in which a child begins.
    """

    def __init__(self) -> None:
        self.peak = 0
        self._pids: set[int] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def begin(self, pid: int) -> None:
        """Look at this one too."""
        self._pids = self._pids | {pid}

    def end(self, pid: int) -> None:
        """It is gone."""
        self._pids = self._pids - {pid}

    def _look(self) -> None:
        while not self._over.wait(TICK):
            self.peak = max(self.peak, sum(map(peak_of, self._pids)))


def peak_of(pid: int) -> int:
    """The most memory that a process held so far, in bytes; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmHWM:")), 0)


def run(recipe: Recipe, directory: Path) -> Spent:
    """Run it with `directory` as home and working directory; outputs go to files in it."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    environ = {**kept, "HOME": str(directory), "TMPDIR": str(directory), **recipe.environ}
    began = time.monotonic()
    with Watch() as watch, ThreadPoolExecutor(recipe.at_once) as pool:
        jobs = [
            pool.submit(_one, command, environ, directory / f"command-{number}", watch)
            for number, command in enumerate(recipe.commands)
        ]
        ended = [job.result() for job in jobs]
    seconds = time.monotonic() - began
    wrong = [each for each in ended if each[0]]
    return Spent(seconds, sum(cpu for _, cpu, _ in ended), watch.peak, len(wrong), wrong[0][2] if wrong else "")


def _one(command: Sequence[str], environ: Mapping[str, str], files: Path, watch: Watch) -> tuple[int, float, str]:
    """Exit code, CPU seconds, and the end of what it said."""
    out, err = files.with_suffix(".out"), files.with_suffix(".err")
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environ, cwd=files.parent)
        watch.begin(process.pid)
        timer = threading.Timer(LONGEST, process.kill)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
            watch.end(process.pid)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime, err.read_text("utf-8", "replace")[-TAIL:]
