"""The image that the Dockerfile describes, read as text since an engine may be absent: no root, shell or secrets."""

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SECRET = re.compile(r"passw|secret|token|api_?key|credential|private", re.IGNORECASE)


class Instruction(NamedTuple):
    word: str
    rest: str


def instructions(text: str) -> list[Instruction]:
    """The instructions in order: comments dropped, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    split = (line.split(maxsplit=1) for line in joined.splitlines() if line.strip())
    return [Instruction(word.upper(), rest.strip()) for word, rest in split]


def stages(text: str) -> list[list[Instruction]]:
    """What stands before the first FROM, then one list per stage."""
    found: list[list[Instruction]] = [[]]
    for instruction in instructions(text):
        if instruction.word == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


@pytest.fixture(scope="module")
def dockerfile() -> list[list[Instruction]]:
    return stages((ROOT / "Dockerfile").read_text("utf-8"))


def values(stage: list[Instruction], word: str) -> list[str]:
    return [instruction.rest for instruction in stage if instruction.word == word]


def test_it_has_two_stages_on_one_slim_base_that_the_builder_may_pin(dockerfile) -> None:
    arguments, build, run = dockerfile

    assert values(arguments, "ARG") == ["PYTHON_IMAGE=python:3.12-slim"]
    assert values(build, "FROM") == ["${PYTHON_IMAGE} AS build"]
    assert values(run, "FROM") == ["${PYTHON_IMAGE}"]


def test_it_runs_as_a_numbered_user_without_root(dockerfile) -> None:
    *_, run = dockerfile
    user, group = values(run, "USER")[-1].split(":")

    assert (user, group) == ("65532", "65532")
    assert [word for word, _ in run if word in ("USER", "ENTRYPOINT")] == ["USER", "ENTRYPOINT"]


def test_its_entry_point_is_a_script_of_the_project_and_needs_no_shell(dockerfile) -> None:
    *_, run = dockerfile
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (entry_point,) = values(run, "ENTRYPOINT")

    assert json.loads(entry_point) == ["syncer"]
    assert "syncer" in project["scripts"]
    assert not values(run, "RUN")
    assert not values(run, "CMD")


def test_it_stops_by_the_signal_that_drains_and_has_no_health_check(dockerfile) -> None:
    *_, run = dockerfile

    assert values(run, "STOPSIGNAL") == ["SIGTERM"]
    assert not values(run, "HEALTHCHECK")


def test_its_state_lies_in_a_volume_that_its_user_may_write(dockerfile) -> None:
    *_, run = dockerfile
    (volume,) = values(run, "VOLUME")
    owned = [copy.split()[-1] for copy in values(run, "COPY") if f"--chown={values(run, 'USER')[-1]} " in copy]

    assert f"SYNCER_STATE_DIR={volume}" in " ".join(values(run, "ENV"))
    assert volume in owned


def test_python_writes_no_bytecode_at_run_time(dockerfile) -> None:
    *_, run = dockerfile

    assert "PYTHONDONTWRITEBYTECODE=1" in shlex.split(" ".join(values(run, "ENV")))


def test_the_runtime_lock_is_installed_by_its_hashes_and_nothing_else_brings_packages(dockerfile) -> None:
    _, build, _ = dockerfile
    installs = re.findall(r"pip install [^&]*", " && ".join(values(build, "RUN")))

    assert [("--require-hashes" in line or "--no-deps" in line) for line in installs] == [True, True]
    assert "-r requirements.lock" in installs[0]
    assert "--require-hashes" in installs[0]


def copied(dockerfile: list[list[Instruction]]) -> set[str]:
    """What is copied from the checkout, not from another stage."""
    copies = [copy for stage in dockerfile for copy in values(stage, "COPY") if "--from=" not in copy]
    return {source for copy in copies for source in copy.split()[:-1]}


def test_every_file_that_it_copies_exists_and_is_let_through(dockerfile) -> None:
    let_through = (ROOT / ".dockerignore").read_text("utf-8").splitlines()

    assert copied(dockerfile)
    for source in copied(dockerfile):
        assert (ROOT / source).exists(), source
        assert f"!{source}" in let_through


def test_the_files_that_the_package_links_to_come_along(dockerfile) -> None:
    links = [path for path in (ROOT / "syncer").rglob("*") if path.is_symlink()]

    assert links
    assert {str(link.resolve().relative_to(ROOT)) for link in links} <= copied(dockerfile)


def test_everything_else_stays_outside_the_build(dockerfile) -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    let_through = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}

    assert rules[0] == "*"
    assert let_through == copied(dockerfile)
    assert not let_through & {".git", ".venv", "tests", "."}


def test_nothing_secret_is_built_in(dockerfile) -> None:
    words = ("ARG", "ENV", "LABEL")
    named = [rest for stage in dockerfile for word, rest in stage if word in words]

    assert named
    assert not [rest for rest in named if SECRET.search(rest)]
    assert not [rest for stage in dockerfile for rest in values(stage, "ADD")]


def test_no_image_is_latest_and_nothing_is_fetched_past_the_lock(dockerfile) -> None:
    arguments, *built = dockerfile
    images = [value.partition("=")[2] for value in values(arguments, "ARG")]
    run = " ".join(rest for stage in built for rest in values(stage, "RUN"))

    assert all(re.search(r":\d", image) for image in images)
    assert not re.search(r"\b(?:curl|wget|apt-get|apk|sudo|git)\b", run)
    assert "--trusted-host" not in run


def test_its_instructions_are_known_and_paths_are_absolute(dockerfile) -> None:
    known = {"FROM", "ARG", "WORKDIR", "COPY", "RUN", "LABEL", "ENV", "VOLUME", "USER", "STOPSIGNAL", "ENTRYPOINT"}
    found = [instruction for stage in dockerfile for instruction in stage]

    assert {instruction.word for instruction in found} <= known
    assert all(rest.startswith("/") for word, rest in found if word in {"WORKDIR", "VOLUME"})
