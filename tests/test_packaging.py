"""What is shipped: the bounds in pyproject.toml, the locks that hold them, and the contents of a wheel."""

import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import syncer

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
FLOORS = {"aiohttp": "3.14.3", "urllib3": "2.6.3", "pyyaml": "6"}
PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)[^\n]*(?:\n    --hash=sha256:[0-9a-f]{64}[ \\]*)+", re.MULTILINE
)


def pins(lock: str) -> dict[str, Version]:
    """The locked version of every distribution that has hashes."""
    found = PIN.finditer((ROOT / lock).read_text("utf-8"))
    return {canonicalize_name(pin["name"]): Version(pin["version"]) for pin in found}


def requirements(*extras: str) -> list[Requirement]:
    return [
        Requirement(line) for line in [*PROJECT["dependencies"], *(line for name in extras for line in EXTRAS[name])]
    ]


@pytest.mark.parametrize("requirement", requirements(*EXTRAS), ids=lambda requirement: requirement.name)
def test_every_dependency_has_a_lower_bound_and_no_upper_one(requirement) -> None:
    assert [bound.operator for bound in requirement.specifier] == [">="]


@pytest.mark.parametrize(("lock", "extras"), [("requirements.lock", ()), ("requirements-dev.lock", ("test", "dev"))])
def test_a_lock_holds_what_the_project_asks_for(lock, extras) -> None:
    locked = pins(lock)

    for requirement in requirements(*extras):
        version = locked[canonicalize_name(requirement.name)]
        assert version in requirement.specifier, f"{requirement} in {lock}; run `make lock`"


def test_every_line_of_a_lock_that_names_a_version_has_hashes() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock", "requirements-mutants.lock"):
        named = re.findall(r"^[\w.-]+==", (ROOT / lock).read_text("utf-8"), re.MULTILINE)
        assert len(named) == len(pins(lock)) > 0


def test_tests_run_with_the_versions_that_are_shipped() -> None:
    tested = pins("requirements-dev.lock")

    assert {name: tested.get(name) for name in pins("requirements.lock")} == pins("requirements.lock")


def test_mutmut_comes_with_the_versions_that_tests_run_with() -> None:
    (wanted,) = map(Requirement, PYPROJECT["dependency-groups"]["mutants"])
    tested, added = pins("requirements-dev.lock"), pins("requirements-mutants.lock")

    assert added[wanted.name] in wanted.specifier
    assert {name: version for name, version in added.items() if tested.get(name, version) != version} == {}


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_versions_with_known_holes_stay_below_the_bound(name, floor) -> None:
    (declared,) = [r for r in requirements() if canonicalize_name(r.name) == name]
    (bound,) = declared.specifier

    assert Version(bound.version) >= Version(floor)
    assert pins("requirements.lock")[name] >= Version(floor)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (path,) = out.iterdir()
    with zipfile.ZipFile(path) as opened:
        yield opened


def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return message_from_bytes(wheel.read(name))


def test_the_wheel_carries_the_example_file_and_the_typing_marker(wheel) -> None:
    assert wheel.read("syncer/mirrors.yaml") == (ROOT / "mirrors.yaml").read_bytes()
    assert "syncer/py.typed" in wheel.namelist()


def test_the_wheel_holds_every_module_and_nothing_but_the_package(wheel) -> None:
    names = set(wheel.namelist())
    modules = {module.relative_to(ROOT).as_posix() for module in (ROOT / "syncer").rglob("*.py")}

    assert modules <= names
    assert {name.split("/")[0] for name in names} == {"syncer", f"ecr_syncer-{syncer.__version__}.dist-info"}


def test_the_wheel_says_what_the_project_says(wheel) -> None:
    said = metadata(wheel)

    assert (said["Name"], said["Version"]) == ("ecr-syncer", syncer.__version__)
    assert said["Requires-Python"] == ">=3.11"
    assert said["License-Expression"] == "Apache-2.0"
    assert any(name.endswith("/licenses/LICENSE") for name in wheel.namelist())


def test_the_command_leads_to_the_command_line(wheel) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]

    assert wheel.read(name).decode().split() == ["[console_scripts]", "syncer", "=", "syncer.cli.main:main"]


def test_the_version_is_a_release_number_and_the_changelog_speaks_of_it() -> None:
    version = Version(syncer.__version__)
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")

    assert str(version) == syncer.__version__
    assert re.search(rf"^## (Unreleased|{re.escape(str(version))}\b)", changelog, re.MULTILINE)
