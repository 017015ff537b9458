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
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
LOCKS = sorted(path.name for path in ROOT.glob("*.lock"))
FLOORS = {"aiohttp": "3.14.3", "urllib3": "2.6.3", "pyyaml": "5.4", "requests": "2.32.4"}  # below: known holes
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


@pytest.mark.parametrize("group", GROUPS)
def test_a_lock_of_a_group_holds_what_it_asks_for_in_versions_that_go_with_the_tests(group) -> None:
    locked, tested = pins(f"requirements-{group}.lock"), pins("requirements-dev.lock")
    wanted = [Requirement(line) for line in GROUPS[group]]

    assert all(locked[canonicalize_name(one.name)] in one.specifier for one in wanted)
    assert {name: tested[name] for name in locked.keys() & tested.keys()} == {
        name: locked[name] for name in locked.keys() & tested.keys()
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_version_one_of_its_hashes_or_a_remark(lock) -> None:
    text = (ROOT / lock).read_text("utf-8")
    named = re.findall(r"^[\w.-]+==", text, re.MULTILINE)
    others = [line for line in text.splitlines() if not re.match(r"[\w.-]+==\d|    --hash=sha256:|\s*#", line)]

    assert len(named) == len(pins(lock)) > 0
    assert others == []  # no index, no link, no file, no option
    assert "://" not in text


def test_every_lock_is_made_by_the_one_command_and_installed_by_its_hashes() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    installs = [line for line in makefile.splitlines() if " install " in line and " -r " in line]

    assert set(re.findall(r"--output-file (\S+)", makefile)) == set(LOCKS)
    assert {line.split()[-1] for line in installs} == set(LOCKS)
    assert all("--require-hashes" in line for line in installs)


def test_tests_run_with_the_versions_that_are_shipped() -> None:
    tested = pins("requirements-dev.lock")

    assert {name: tested.get(name) for name in pins("requirements.lock")} == pins("requirements.lock")


def test_mutmut_comes_with_the_versions_that_tests_run_with() -> None:
    (wanted,) = map(Requirement, PYPROJECT["dependency-groups"]["mutants"])
    tested, added = pins("requirements-dev.lock"), pins("requirements-mutants.lock")

    assert added[wanted.name] in wanted.specifier
    assert {name: version for name, version in added.items() if tested.get(name, version) != version} == {}


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_versions_with_known_holes_stay_out_of_every_lock(name, floor) -> None:
    held = [pins(lock)[name] for lock in LOCKS if name in pins(lock)]

    assert len(held) >= 2
    assert min(held) >= Version(floor)


@pytest.mark.parametrize("requirement", [r for r in requirements() if canonicalize_name(r.name) in FLOORS], ids=str)
def test_the_declared_bounds_keep_versions_with_known_holes_out(requirement) -> None:
    (bound,) = requirement.specifier

    assert Version(bound.version) >= Version(FLOORS[canonicalize_name(requirement.name)])


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
