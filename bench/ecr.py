"""The scenarios at ECR: syncer alone, since no peer can be told where the sandbox plays ECR's hosts."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from bench.counts import Traffic
from bench.process import Recipe, run
from bench.rig import ROOT, here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.process import Spent


@contextmanager
def world(tags: int, home: Path) -> Iterator[subprocess.Popen[str]]:
    """The process that plays both ends; where they are is written to world.json in `home`."""
    command = [sys.executable, "-m", "bench.ecr_world", str(tags)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=here())
    stdin, stdout = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
    try:
        (home / "world.json").write_text(stdout.readline(), encoding="utf-8")
        yield process
    finally:
        stdin.close()
        process.wait()
        stdout.close()


def turn(process: subprocess.Popen[str], home: Path) -> tuple[Spent, Traffic, Traffic, int]:
    """One sync: what it took, what either end saw, and how many images are up to date."""
    _asked(process)
    command = [sys.executable, "-m", "bench.ecr_client", str(home / "world.json")]
    spent = run(Recipe([command], environ={"PYTHONPATH": str(ROOT)}), home)
    seen = _asked(process)
    said = (home / "command-0.out").read_text("utf-8").strip() or "{}"
    return spent, seen["source"], seen["target"], json.loads(said).get("up_to_date", 0)


def _asked(process: subprocess.Popen[str]) -> dict[str, Traffic]:
    stdin, stdout = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
    stdin.write("\n")
    stdin.flush()
    return {end: Traffic(requests=kinds) for end, kinds in json.loads(stdout.readline()).items()}
