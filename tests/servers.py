"""Starts real servers for tests: free ports, waiting until they listen, stopping them by their own process."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import trustme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 20.0  # seconds; two cores may be busy


@dataclass(frozen=True)
class RealRegistry:
    """A running docker-registry."""

    url: str
    storage: Path  # its root directory; repositories lie in docker/registry/v2
    log: Path
    ca: Path | None  # the certificate authority of its certificate, as PEM
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        """Host and port, as an image's name begins."""
        return self.url.partition("://")[2]

    def requests(self) -> list[str]:
        """Its access log, a line like `"PUT /v2/..."` per request."""
        return [line for line in self.log.read_text().splitlines() if ' "' in line and "HTTP/1." in line]

    def blob_path(self, digest: str) -> Path:
        """The file that holds a blob's or manifest's bytes."""
        name = digest.partition(":")[2]
        return self.storage / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[bytes], what: str) -> bool:
    """Whether it comes to hold before the process ends; fails when neither happens in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if holds():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    raise AssertionError(f"{what} did not start in {PATIENCE} s")


@contextmanager
def docker_registry(
    directory: Path, *, tls: bool = False, settings: dict[str, Any] | None = None
) -> Iterator[RealRegistry]:
    """Debian's docker-registry on a free port of 127.0.0.1, with its files in `directory`.

    Deletion is on. `settings` are top-level sections of its configuration that replace ours.
    """
    program = shutil.which("docker-registry")
    assert program, "docker-registry is not installed"
    directory.mkdir(parents=True, exist_ok=True)
    for _ in range(5):
        running = _start(program, directory, tls=tls, settings=settings or {})
        log = running.log
        if wait_until(lambda: "listening on" in log.read_text(), running.process, program):  # noqa: B023 - used at once
            break
    else:
        raise AssertionError(running.log.read_text())
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.wait()


@contextmanager
def restarted(registry: RealRegistry) -> Iterator[None]:
    """Kill the registry and run it again, at the same address and on the same files."""
    registry.process.kill()
    registry.process.wait()
    program, serve, config = registry.process.args
    with registry.log.open("ab") as out:
        process = subprocess.Popen([program, serve, config], stdout=out, stderr=out)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _start(program: str, directory: Path, *, tls: bool, settings: dict[str, Any]) -> RealRegistry:
    address = f"127.0.0.1:{free_port()}"
    storage, log, config = directory / "storage", directory / "registry.log", directory / "config.yml"
    http = {"addr": address, "secret": "of the tests"} | ({"tls": _certificate(directory)} if tls else {})
    sections = {
        "version": 0.1,
        "log": {"accesslog": {"disabled": False}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
        "http": http,
    }
    config.write_text(json.dumps(sections | settings))  # JSON is YAML
    environment = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")}
    with log.open("wb") as out:
        process = subprocess.Popen([program, "serve", str(config)], stdout=out, stderr=out, env=environment)
    scheme = "https" if tls else "http"
    return RealRegistry(f"{scheme}://{address}", storage, log, directory / "ca.pem" if tls else None, process)


def _certificate(directory: Path) -> dict[str, str]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(str(directory / "server.pem"))
    return {"certificate": str(directory / "server.pem"), "key": str(directory / "server.pem")}


def trusting(ca: Path) -> ssl.SSLContext:
    """A client's TLS context that trusts that authority only."""
    return ssl.create_default_context(cafile=str(ca))
