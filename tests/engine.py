"""A real Docker engine for tests: its files in a directory of its own, no network of its own, nothing in /etc."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import servers

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def docker_engine() -> Iterator[docker.DockerClient]:
    """A client of an engine that runs as long as the block. Loopback registries need no TLS there by default."""
    program = shutil.which("dockerd")
    assert program, "dockerd is not installed"
    with tempfile.TemporaryDirectory(prefix="engine", ignore_cleanup_errors=True) as name:
        root = Path(name)  # short: the name of a socket has at most 107 bytes
        with (root / "log").open("wb") as log:
            process = subprocess.Popen([program, *_options(program, root)], stdout=log, stderr=log)
        try:
            assert servers.wait_until(lambda: _answers(root / "sock"), process, program), (root / "log").read_text()
            client = docker.DockerClient(f"unix://{root}/sock", timeout=60)
            yield client
            client.close()
        finally:
            process.terminate()
            process.wait()


def _options(program: str, root: Path) -> list[str]:
    config = root / "daemon.json"
    config.write_text("{}")
    options = [
        "--storage-driver=vfs",
        "--iptables=false",
        "--bridge=none",
        f"--config-file={config}",
        f"--data-root={root}/data",
        f"--exec-root={root}/exec",
        f"--pidfile={root}/pid",
        f"--host=unix://{root}/sock",
    ]
    key = f"--deprecated-key-path={root}/key.json"  # else it goes to /etc; engines since 25 have neither key nor option
    known = subprocess.run([program, key, "--version"], capture_output=True, check=False).returncode == 0
    return [*options, key] if known else options


def _answers(path: Path) -> bool:
    """Whether the engine answers by now: a young one resets connections, which docker's client does not clean up."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return connection.recv(7) == b"HTTP/1."
        except OSError:
            return False
