"""The rooms of the package and who may import whom: one table, read against the syntax tree of every module.

Imports inside functions and under TYPE_CHECKING count like any other.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ROOMS_BY_RANK = [
    {"errors"},
    {"oci", "clock", "settings"},
    {"content", "credentials", "selection", "plan", "report", "attempts"},
    {"registry", "state"},
    {"ecr", "transfer", "config", "formats"},
    {"planning", "engine"},
    {"app"},
    {"sandbox"},
    {"cli"},
    {"__main__"},
]
RANK = {room: rank for rank, rooms in enumerate(ROOMS_BY_RANK) for room in rooms}
RANK["__init__"] = -1  # the version: everyone may read it, it reads nobody

SAME_RANK = {("settings", "oci")}
APART = {("transfer", "ecr"), ("transfer", "registry")}
APART |= {(room, place) for room in ("planning", "engine") for place in ("ecr", "registry")}
SANDBOX_MAY_USE = {"clock", "sandbox"}

HOMES = {
    "aiohttp": ["registry/wire.py", "registry/connections.py"],
    "multidict": ["registry/wire.py"],
    "yarl": ["registry/wire.py"],
    "asyncio_throttle": ["registry/throttle.py"],
    "boto3": ["ecr/"],
    "botocore": ["ecr/"],
    "mypy_boto3_ecr": ["ecr/"],
    "mypy_boto3_sts": ["ecr/"],
    "docker": ["credentials/docker_config.py", "content/daemon.py"],
    "yaml": ["config/"],
    "pydantic": ["config/", "plan/schema.py", "report/schema.py"],
    "pydantic_core": ["config/"],
    "click": ["cli/"],
    "rich": ["cli/"],
    "platformdirs": ["cli/"],
}


def room_of(path: Path) -> str:
    """The first name below the package: a directory, or a module beside it."""
    return path.parts[0].removesuffix(".py")


def imported(tree: ast.Module, path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, `from x import y` as x.y, since y may be a module."""
    package = ["syncer", *path.parent.parts]
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package[: len(package) - level + 1] if level else []
                base = ".".join([*above, *([module] if module else [])])
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in names)
            case ast.Call(func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"), args=[first, *_]):
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield node.lineno, first.value


def broken_inside(room: str, other: str) -> str | None:
    """The rule that `room` breaks by importing `other`, both rooms of the package."""
    if room == other:
        return None
    if room == "sandbox" and other not in {*SANDBOX_MAY_USE, "__init__"}:
        return "the sandbox shares nothing with the client but syncer.clock"
    if other not in RANK:
        return f"syncer.{other} is not in the table of rooms"
    if (room, other) in APART:
        return f"{room} never imports {other}: a new kind of place needs no change in the core"
    if RANK[other] < RANK[room] or (room, other) in SAME_RANK:
        return None
    return f"imports go to lower ranks only: {room} is {RANK[room]}, {other} is {RANK[other]}"


def broken_outside(path: Path, package: str) -> str | None:
    """The rule that the module at `path` breaks by importing the top-level `package`."""
    if package in sys.stdlib_module_names:
        return None
    if package not in HOMES:
        return f"{package} is not in the table of third-party packages"
    if room_of(path) == "sandbox" or path.as_posix().startswith(tuple(HOMES[package])):
        return None
    return f"{package} has its home in {' and '.join(HOMES[package])}"


def broken_rules(source: str, path: Path) -> list[str]:
    """Every broken rule of a module, as file:line and the rule; `path` is relative to the package."""
    found = []
    if room_of(path) not in RANK:
        found.append(f"syncer/{path}:1: syncer.{room_of(path)} is not in the table of rooms")
    for line, name in imported(ast.parse(source), path):
        top, *rest = name.split(".")
        if top != "syncer":
            rule = broken_outside(path, top)
        else:
            other = rest[0] if rest and not rest[0].startswith("__version") else "__init__"
            rule = broken_inside(room_of(path), other)
        if rule:
            found.append(f"syncer/{path}:{line}: {rule} ({name})")
    return found


def test_imports_keep_to_the_table_of_rooms() -> None:
    package = ROOT / "syncer"
    modules = sorted(package.rglob("*.py"))

    broken = [
        rule for module in modules for rule in broken_rules(module.read_text("utf-8"), module.relative_to(package))
    ]

    assert modules
    assert not broken, "\n" + "\n".join(broken)


@pytest.mark.parametrize(
    ("path", "source", "rule"),
    [
        ("oci/digest.py", "from syncer.settings import limits", "oci is 1, settings is 1"),
        ("errors.py", "from syncer.oci.digest import Digest", "errors is 0, oci is 1"),
        ("registry/wire.py", "from syncer import ecr", "registry is 3, ecr is 4"),
        ("registry/wire.py", "from ..ecr import keychain", "registry is 3, ecr is 4"),
        ("registry/wire.py", "def f():\n    import syncer.transfer.walk", "syncer/registry/wire.py:2:"),
        ("plan/model.py", "if TYPE_CHECKING:\n    from syncer.report import model", "plan is 2, report is 2"),
        ("state/db.py", "importlib.import_module('syncer.config')", "state is 3, config is 4"),
        ("planning/make.py", "from syncer.registry import wire", "planning never imports registry"),
        ("engine/local.py", "from syncer.ecr import target", "engine never imports ecr"),
        ("transfer/walk.py", "from syncer.registry.wire import Wire", "transfer never imports registry"),
        ("sandbox/hub.py", "from syncer.oci.digest import Digest", "the sandbox shares nothing"),
        ("app.py", "from syncer.sandbox import world", "app is 6, sandbox is 7"),
        ("cli/main.py", "from syncer.helpers import x", "syncer.helpers is not in the table of rooms"),
        ("helpers/x.py", "", "syncer.helpers is not in the table of rooms"),
        ("registry/repository.py", "import multidict", "multidict has its home in registry/wire.py"),
        ("transfer/walk.py", "from boto3.session import Session", "boto3 has its home in ecr/"),
        ("plan/model.py", "import pydantic", "pydantic has its home in config/"),
        ("registry/wire.py", "import httpx", "httpx is not in the table of third-party packages"),
    ],
)
def test_a_broken_rule_is_named_with_its_line(path: str, source: str, rule: str) -> None:
    assert rule in "\n".join(broken_rules(source, Path(path)))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("settings/rules.py", "from syncer.oci.digest import Digest"),
        ("registry/repository.py", "from syncer.registry.wire import Wire"),
        ("registry/repository.py", "from .wire import Wire\nfrom . import throttle\nfrom ..oci import digest"),
        ("registry/wire.py", "import asyncio, aiohttp\nfrom yarl import URL"),
        ("plan/schema.py", "from pydantic import BaseModel"),
        ("sandbox/hub.py", "import aiohttp.web\nfrom botocore.model import Shape\nfrom syncer.clock import Clock"),
        ("cli/version.py", "from syncer import __version__"),
        ("__main__.py", "from syncer.cli.main import main"),
    ],
)
def test_what_the_table_allows_passes(path: str, source: str) -> None:
    assert broken_rules(source, Path(path)) == []
