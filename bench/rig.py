"""The rig: registries of Debian's docker-registry on a memory file system, and links in front of them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import trustme

from bench import counts
from bench.loading import Loader

if TYPE_CHECKING:
    from bench.corpus import Images
    from bench.counts import Traffic

ROOT = Path(__file__).parents[1]
MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
ROOM = 8 << 30  # bytes that the memory file system must have free
PATIENCE = 20.0  # seconds for a process to start
BLOBS = "docker/registry/v2/blobs/sha256"
REPOSITORIES = "docker/registry/v2/repositories"


def workspace(wanted: Path | None) -> tempfile.TemporaryDirectory[str] | Path:
    """Where everything lies: in memory if there is room, and gone at the end unless the caller named it."""
    if wanted is not None:
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted
    spacious = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    return tempfile.TemporaryDirectory(prefix="syncer-bench-", dir=MEMORY if spacious else None)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a link is like."""

    round_trip: float = 0.0  # seconds
    rate: float | None = None  # bytes per second, each way, per connection

    @property
    def plain(self) -> bool:
        """Whether it is no link at all but loopback."""
        return not self.round_trip and self.rate is None


class Shaper:
    """A link to `host`, in a process of its own; it begins as loopback."""

    def __init__(self, host: str) -> None:
        command = [sys.executable, "-m", "bench.shaper", host]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=here()
        )
        self.host = f"127.0.0.1:{self._read().strip()}"

    def set(self, shape: Shape) -> dict[str, int]:
        """Be like this from the next connection on; what was carried so far."""
        return self._say({"delay": shape.round_trip / 2, "rate": shape.rate})

    def carried(self) -> dict[str, int]:
        """Connections, and bytes in either direction, so far."""
        return self._say({})

    def close(self) -> None:
        """End it."""
        _pipe(self._process.stdin).close()
        self._process.wait(PATIENCE)
        _pipe(self._process.stdout).close()

    def _say(self, settings: dict[str, Any]) -> dict[str, int]:
        stdin = _pipe(self._process.stdin)
        stdin.write(json.dumps(settings) + "\n")
        stdin.flush()
        answer: dict[str, int] = json.loads(self._read())
        return answer

    def _read(self) -> str:
        return _pipe(self._process.stdout).readline()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("a process of the rig has no pipe")
    return pipe


def here() -> dict[str, str]:
    """The environment of our own processes: this project, and nothing of the user's."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    return kept | {"PYTHONPATH": str(ROOT)}


@dataclass(frozen=True, slots=True)
class Certificates:
    """An authority, and what a server on 127.0.0.1 shows."""

    ca: Path
    server: Path

    @classmethod
    def make(cls, directory: Path) -> Certificates:
        """Issue them into `directory`."""
        directory.mkdir(parents=True, exist_ok=True)
        made, authority = cls(directory / "ca.crt", directory / "server.pem"), trustme.CA()
        authority.cert_pem.write_to_path(str(made.ca))
        issued = authority.issue_cert("127.0.0.1", "localhost")
        issued.private_key_and_cert_chain_pem.write_to_path(str(made.server))
        return made


class Registry:
    """A docker-registry process over `storage`; its log and configuration lie in `directory`."""

    def __init__(self, storage: Path, directory: Path, certificates: Certificates | None = None) -> None:
        self.storage, self._log = storage, directory / "access.log"
        self.ca = certificates.ca if certificates else None
        directory.mkdir(parents=True, exist_ok=True)
        tls = (
            {"tls": {"certificate": str(certificates.server), "key": str(certificates.server)}} if certificates else {}
        )
        self.host = f"127.0.0.1:{_free_port()}"
        config = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(storage), "maxthreads": 1000}},
            "http": {"addr": self.host, "secret": "of the bench", **tls},
        }
        (directory / "config.yml").write_text(json.dumps(config))  # JSON is YAML
        self._seen, self._wire = 0, (0, 0)
        with self._log.open("wb") as log, (directory / "errors.log").open("wb") as errors:
            command = ["docker-registry", "serve", str(directory / "config.yml")]
            environment = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")}
            self._process = subprocess.Popen(command, stdout=log, stderr=errors, env=environment)
        self._look()
        self.traffic()

    def traffic(self) -> Traffic:
        """What happened since the last time that one looked."""
        lines = self._look()
        fresh, self._seen = lines[self._seen :], len(lines)
        seen, uploaded = counts.count(fresh)
        seen.blob_bytes_in = sum(self._size(digest) for digest in uploaded)
        read, wrote = self._io()
        seen.wire_in, seen.wire_out = read - self._wire[0], wrote - self._wire[1]
        self._wire = (read, wrote)
        return seen

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _look(self) -> list[str]:
        """The lines of the log once our own last request is among them: those before it are there too."""
        before = self._log.read_text().count(counts.OURS)
        _knock(self.host, self.ca)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            time.sleep(0.02)
            text = self._log.read_text()
            if text.count(counts.OURS) > before and text.endswith("\n"):
                return text.splitlines()
        raise RuntimeError(f"docker-registry at {self.host} does not log: {self._log}")

    def _size(self, digest: str) -> int:
        name = digest.removeprefix("sha256:")
        return (self.storage / BLOBS / name[:2] / name / "data").stat().st_size

    def _io(self) -> tuple[int, int]:
        text = Path(f"/proc/{self._process.pid}/io").read_text(encoding="ascii")
        fields = dict(line.split(": ") for line in text.splitlines())
        return int(fields["rchar"]), int(fields["wchar"])


def _knock(host: str, ca: Path | None) -> None:
    """One request of our own, which the log shows with our name; waits until somebody listens."""
    end = time.monotonic() + PATIENCE
    trust = ssl.create_default_context(cafile=str(ca)) if ca else None
    while True:
        made = HTTPSConnection(host, timeout=5, context=trust) if trust else HTTPConnection(host, timeout=5)
        with closing(made) as http:
            try:
                http.request("GET", "/knock", headers={"User-Agent": counts.OURS})
                http.getresponse().read()
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tags_of(storage: Path) -> dict[tuple[str, str], str]:
    """(last part of the repository, tag) -> digest, read from a registry's files."""
    found = {}
    for link in (storage / REPOSITORIES).glob("**/_manifests/tags/*/current/link"):
        found[link.parents[4].name, link.parents[1].name] = link.read_text(encoding="ascii").strip()
    return found


def load(storage: Path, images: Images) -> None:
    """Put `images` into the registry whose files are in `storage`, by a process that ends with it."""
    with tempfile.TemporaryDirectory(prefix="syncer-bench-load-") as directory:
        registry = Registry(storage, Path(directory))
        try:
            Loader(registry.host).load(images)
        finally:
            registry.close()
