"""A user's shell, and a town of registries on loopback that mirrors.yaml can name by their addresses."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.sandbox.images import image, populate

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.sandbox.world import World

PIPE = asyncio.subprocess.PIPE
OF_THE_USER = (
    "AWS_",
    "DOCKER_",
    "SYNCER_",
    "PYTHON",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
    "LINES",
    "TTY_",
    "HTTP",
    "http",
    "ALL_PROXY",
    "all_proxy",
)


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def last(self) -> str:
        return self.out.splitlines()[-1]

    @property
    def statuses(self) -> list[str]:
        return [image["status"] for image in self.document["images"]]


class Shell:
    """A directory with nothing of the user's around it, in which `syncer` is typed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_USER)}
        self.env = kept | {"HOME": str(directory), "SYNCER_STATE_DIR": str(directory / "state")}

    def write(self, text: str, name: str = "mirrors.yaml") -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "syncer", *args]

    async def start(
        self, *args: str, before: tuple[str, ...] = (), stdout: int = PIPE, stderr: int = PIPE, **env: str
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *before,
            *self.command(*args),
            cwd=self.directory,
            env=self.env | env,
            stdout=stdout,
            stderr=stderr,
        )

    async def run(self, *args: str, before: tuple[str, ...] = (), **env: str) -> Ran:
        return await ended(await self.start(*args, before=before, **env))


async def ended(process: asyncio.subprocess.Process) -> Ran:
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Ran(process.returncode, (out or b"").decode(), (err or b"").decode())


async def until(holds, seconds: float = 20) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - another process is watched, which sets no event of ours
            await asyncio.sleep(0.02)


@dataclass
class Town:
    """An origin and a target, both plain registries, and mirrors of the origin."""

    world: World
    shell: Shell
    origin: Any
    target: Any
    mirrors: list[Any] = field(default_factory=list)

    @property
    def source(self) -> str:
        return netloc(self.origin)

    def publish(self, *names: str, edition: str = "") -> None:
        """Have an image at the origin under each `repository:tag`."""
        self._have(self.origin, names, edition)

    def mirrored(self, *names: str, edition: str = "") -> None:
        """Have it at the target, as an earlier run would have left it."""
        self._have(self.target, names, edition)

    def _have(self, registry: Any, names: tuple[str, ...], edition: str) -> None:
        for name in names:
            repository, _, tag = name.partition(":")
            populate(registry.store, repository, tag, image(repository, tag + edition, ["linux/amd64"]))

    def tags(self, repository: str) -> dict[str, str]:
        found = self.target.store.find(repository)
        return dict(found.tags) if found else {}

    async def add_mirror(self, operator: str) -> Any:
        mirror = await self.world.add_mirror(f"http://{operator}", self.origin.store)
        self.mirrors.append((mirror, operator))
        return mirror

    def config(self, *sources: str, registry: Any = None, target: Any = None, rule: Any = None) -> Path:
        """A mirrors.yaml that mirrors `sources`; the rest is added to the blocks of the same name."""
        mirrors = [{"url": mirror.server.address, "operator": operator} for mirror, operator in self.mirrors]
        settings = ({"mirrors": mirrors} if mirrors else {}) | (registry or {})
        document = {
            "version": "1",
            "registries": {self.source: settings or {"resolve": ["origin"]}},
            "targets": {"here": {"registry": netloc(self.target)} | (target or {})},
            "defaults": {"targets": ["here"], "overwrite": "any"},  # no earlier run left its state
            "images": [{"source": f"{self.source}/{name}"} | (rule or {}) for name in sources],
        }
        return self.shell.write(json.dumps(document, indent=1))  # JSON is YAML


def netloc(registry: Any) -> str:
    return registry.server.address.partition("://")[2]
