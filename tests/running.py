"""syncer as a user runs it, a command with a file, and what real registries logged of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import corpus
import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers import RealRegistry


@dataclass(frozen=True)
class Ended:
    """A command that came to its end."""

    code: int
    out: str
    err: str
    seconds: float
    peak: int  # bytes of memory that the process held at most

    @property
    def report(self) -> dict[str, Any]:
        """What `-o json` printed."""
        return json.loads(self.out)

    @property
    def statuses(self) -> dict[str, str]:
        """By target, what became of it."""
        return {image["target"].partition("/")[2]: image["status"] for image in self.report["images"]}


class Syncer:
    """Runs syncer in a directory of its own, with nothing of the user's around it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.before: tuple[str, ...] = ()  # a command that runs it, such as strace
        home.mkdir(parents=True, exist_ok=True)
        self._started: list[subprocess.Popen[bytes]] = []

    def write(self, **sections: Any) -> None:
        """The mirrors.yaml of the next runs; JSON is YAML."""
        (self.home / "mirrors.yaml").write_text(json.dumps({"version": 1, **sections}))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        inherited = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        here = {"HOME": str(self.home), "PYTHONPATH": str(Path(servers.__file__).parents[1])}
        with (self.home / "out").open("w") as out, (self.home / "err").open("w") as err:
            process = subprocess.Popen(
                [*self.before, sys.executable, "-m", "syncer", *arguments, "--state-dir", "state"],
                cwd=self.home,
                env=here | inherited | environment,
                stdout=out,
                stderr=err,
            )
        self._started.append(process)
        return process

    def end(self) -> None:
        """Leave nothing running, however the test ended."""
        for process in self._started:
            process.kill()
            process.wait()

    def run(self, *arguments: str, **environment: str) -> Ended:
        """Run to the end; the report is JSON."""
        began = time.monotonic()
        process = self.start(*arguments, "-o", "json", **environment)
        peak = 0
        while process.poll() is None:
            peak = max(peak, peak_of(process.pid))
            time.sleep(0.02)
        out, err = ((self.home / name).read_text() for name in ("out", "err"))
        return Ended(process.returncode, out, err, time.monotonic() - began, peak)


def peak_of(pid: int) -> int:
    """The most memory that a process held so far, in bytes; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def requests(registry: RealRegistry) -> list[str]:
    """`METHOD PATH STATUS` of every request but our own looks, once the log has them all."""
    corpus.Door(registry.host).ask("GET", "/v2/", **{"User-Agent": "last-look"})
    servers.wait_until(lambda: "last-look" in registry.log.read_text(), registry.process, "the log")
    ours = [line for line in registry.requests() if '"syncer/' in line]
    return [f"{line.split(chr(34))[1].rpartition(' ')[0]} {line.split(chr(34))[2].split()[0]}" for line in ours]


def counted(lines: list[str], *methods: str, path: str = "") -> int:
    """How many of `lines` are of these methods, with `path` in them."""
    return sum(line.split()[0] in methods and path in line for line in lines)


class Log:
    """What syncer asked of a registry since this was made, or since the last time that one looked."""

    def __init__(self, registry: RealRegistry) -> None:
        self._registry = registry
        self._seen = len(requests(registry))

    def new(self) -> list[str]:
        fresh = self.all()
        self._seen += len(fresh)
        return fresh

    def all(self) -> list[str]:
        """What `new` will say, without counting it as seen."""
        return requests(self._registry)[self._seen :]


def one(source: str, target: str, registries: dict[str, str], tags: list[str] | None = None, **more: Any) -> dict:
    """Sections of a mirrors.yaml with one rule."""
    rule = {"source": source, "target": target, **({"tags": tags} if tags else {}), **more}
    return {
        "targets": {name: {"registry": host} for name, host in registries.items()},
        "defaults": {"targets": list(registries)},
        "images": [rule],
    }


@contextmanager
def without(registry: RealRegistry, digest: str) -> Iterator[Path]:
    """The file of a blob, put back as it was when the block ends."""
    path = registry.blob_path(digest)
    kept = path.read_bytes()
    try:
        yield path
    finally:
        path.write_bytes(kept)
