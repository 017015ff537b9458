"""Everyone who can mirror: syncer, and each peer found on PATH at its best setting."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.process import Recipe
from bench.rig import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

JOBS = 4  # processes of a peer that mirrors one repository per command
ALL = "*"
SYNCER = "syncer"
FLOOR = "no program at all"  # bench/floor.py
OURS = (SYNCER, FLOOR)


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be mirrored: all tags of each repository of `images`."""

    source: str  # host:port
    targets: tuple[str, ...]
    images: Mapping[str, tuple[str, ...]]  # repository -> tags
    ca: Path | None = None  # TLS, at both ends; None: plain HTTP
    mirrors: tuple[str, ...] = ()  # further hosts with the content of the source
    far: bool = False  # whether the round trips are long, which peers may be turned up for

    @property
    def single(self) -> bool:
        """Whether it is one image."""
        return sum(map(len, self.images.values())) == 1

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(source repository, target repository), with hosts."""
        return [(f"{self.source}/{name}", f"{target}/{name}") for target in self.targets for name in self.images]

    @property
    def tags(self) -> list[tuple[str, str]]:
        """The same, tag by tag."""
        return [
            (f"{self.source}/{name}:{tag}", f"{target}/{name}:{tag}")
            for target in self.targets
            for name, tags in self.images.items()
            for tag in tags
        ]

    @property
    def trust(self) -> dict[str, str]:
        """Where programs written in Go look for authorities."""
        return {"SSL_CERT_FILE": str(self.ca)} if self.ca else {}


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to do a job: `recipe` writes what it needs into a directory, and says what to start there."""

    name: str
    program: str | None  # to be found on PATH; None: this project
    recipe: Callable[[Job, Path], Recipe]
    one_image: bool = False  # whether it can do no other jobs

    @property
    def present(self) -> bool:
        """Whether it is here to be measured."""
        return self.program is None or shutil.which(self.program) is not None


def syncer(job: Job, home: Path) -> Recipe:
    """One process, one file with one rule per repository, its defaults."""
    tls = {"tls": {"plain_http": False, "ca": str(job.ca)}} if job.ca else {}
    hosts: dict[str, dict[str, object]] = {host: dict(tls) for host in (job.source, *job.targets)} if tls else {}
    if job.mirrors:
        scheme = "https" if job.ca else "http"
        hosts.setdefault(job.source, {})["mirrors"] = [{"url": f"{scheme}://{host}", **tls} for host in job.mirrors]
    targets = {f"target-{number}": {"registry": host} for number, host in enumerate(job.targets)}
    file = {
        "version": 1,
        **({"registries": hosts} if hosts else {}),
        "targets": targets,
        "defaults": {"targets": list(targets), "target": "{repository}"},
        "images": [{"source": f"{job.source}/{name}", "tags": [ALL]} for name in job.images],
    }
    _write(home / "mirrors.yaml", json.dumps(file))
    command = [sys.executable, "-m", "syncer", "sync", "--state-dir", "state", "--progress", "none", "-q", "-o", "json"]
    return Recipe([command], environ={"PYTHONPATH": str(ROOT)})


def floor(job: Job, _home: Path) -> Recipe:
    """One image from registry to registry, unread: what no program can go below."""
    ((name, (tag,)),) = job.images.items()
    trust = [str(job.ca)] if job.ca else []
    commands = [[sys.executable, "-m", "bench.floor", job.source, target, name, tag, *trust] for target in job.targets]
    return Recipe(commands, len(commands), {"PYTHONPATH": str(ROOT)})


def skopeo(job: Job, home: Path) -> Recipe:
    """One `skopeo sync` per target, all targets at a time; one image is a `skopeo copy`."""
    if job.single:
        return _skopeo_copies(job)
    _write(home / "all.yaml", json.dumps({job.source: {"tls-verify": bool(job.ca), "images": _no_tags(job.images)}}))
    return Recipe([_skopeo_sync(job, "all.yaml", to) for to in job.targets], len(job.targets), job.trust)


def skopeo_apart(job: Job, home: Path) -> Recipe:
    """One `skopeo sync` per repository, several at a time."""
    if job.single:
        return _skopeo_copies(job)
    files = []
    for number, name in enumerate(job.images):
        files.append(f"{number}.yaml")
        _write(home / files[-1], json.dumps({job.source: {"tls-verify": bool(job.ca), "images": {name: []}}}))
    commands = [_skopeo_sync(job, file, to) for to in job.targets for file in files]
    return Recipe(commands, 4 * JOBS if job.far else JOBS, job.trust)


def _skopeo_copies(job: Job) -> Recipe:
    secure = str(bool(job.ca)).lower()
    flags = ["--all", f"--src-tls-verify={secure}", f"--dest-tls-verify={secure}"]
    commands = [
        ["skopeo", "--insecure-policy", "copy", *flags, f"docker://{source}", f"docker://{target}"]
        for source, target in job.tags
    ]
    return Recipe(commands, len(job.targets), job.trust)


def _skopeo_sync(job: Job, file: str, target: str) -> list[str]:
    secure = f"--dest-tls-verify={str(bool(job.ca)).lower()}"
    kinds = ["--src", "yaml", "--dest", "docker"]
    return ["skopeo", "--insecure-policy", "sync", "--all", "--keep-going", secure, *kinds, file, target]


def _no_tags(images: Mapping[str, object]) -> dict[str, list[str]]:
    return {name: [] for name in images}


def crane(job: Job, _home: Path) -> Recipe:
    """`crane copy --all-tags` per repository, several at a time."""
    flags = ["--jobs", "32" if job.far else "8", *([] if job.ca else ["--insecure"])]
    if job.single:
        commands = [["crane", "copy", *flags, source, target] for source, target in job.tags]
    else:
        commands = [["crane", "copy", "--all-tags", *flags, source, target] for source, target in job.pairs]
    return Recipe(commands, 12 if job.far else JOBS, job.trust)


def regsync(job: Job, home: Path) -> Recipe:
    """One `regsync once` for everything."""
    hosts = (job.source, *job.targets)
    entries = job.tags if job.single else job.pairs
    file = {
        "version": 1,
        "creds": [{"registry": host, **_regclient_host(job)} for host in hosts],
        "defaults": {"parallel": 32 if job.far else 8, "ratelimit": {"min": 0}},
        "sync": [{"source": a, "target": b, "type": "image" if job.single else "repository"} for a, b in entries],
    }
    _write(home / "regsync.yml", json.dumps(file))
    return Recipe([["regsync", "once", "-c", "regsync.yml"]], environ=job.trust)


def regctl(job: Job, home: Path) -> Recipe:
    """`regctl image copy` per tag, several at a time."""
    hosts = {host: _regclient_host(job) for host in (job.source, *job.targets)}
    _write(home / "regctl.json", json.dumps({"hosts": hosts}))
    commands = [["regctl", "image", "copy", source, target] for source, target in job.tags]
    return Recipe(commands, 16 if job.far else JOBS, {**job.trust, "REGCTL_CONFIG": "regctl.json"})


def _regclient_host(job: Job) -> dict[str, object]:
    tls = {"tls": "enabled", "regcert": job.ca.read_text("ascii")} if job.ca else {"tls": "disabled"}
    return {"reqConcurrent": 64 if job.far else 16, **tls}


def image_syncer(job: Job, home: Path) -> Recipe:
    """One `image-syncer` for everything."""
    hosts = (job.source, *job.targets)
    _write(home / "auth.json", json.dumps({host: {"insecure": True} for host in hosts}))
    images: dict[str, list[str]] = {}
    for source, target in job.tags if job.single else job.pairs:
        images.setdefault(source, []).append(target)
    _write(home / "images.json", json.dumps(images))
    flags = ["--proc", "64" if job.far else "16", "--retries", "1", "--auth", "auth.json", "--images", "images.json"]
    return Recipe([["image-syncer", *flags]], environ=job.trust)


def oras(job: Job, _home: Path) -> Recipe:
    """`oras cp` per tag, several at a time; referrers have a tag of their own here."""
    plain = [] if job.ca else ["--from-plain-http", "--to-plain-http"]
    flags = ["--concurrency", "32" if job.far else "8", *plain]
    commands = [["oras", "cp", *flags, source, target] for source, target in job.tags]
    return Recipe(commands, 16 if job.far else 2 * JOBS, job.trust)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


CONTENDERS = (
    Contender(SYNCER, None, syncer),
    Contender(FLOOR, None, floor, one_image=True),
    Contender("skopeo", "skopeo", skopeo),
    Contender("skopeo, several", "skopeo", skopeo_apart),
    Contender("crane", "crane", crane),
    Contender("regsync", "regsync", regsync),
    Contender("regctl", "regctl", regctl),
    Contender("image-syncer", "image-syncer", image_syncer),
    Contender("oras", "oras", oras),
)
