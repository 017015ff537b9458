"""The scripts behind `make demo` and `make test`: they do the set-up, or say exactly what is missing and fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [ROOT / ".ci" / script, *arguments]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )


def executable(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def without_root(tmp_path) -> str:
    """A PATH whose `id` says what it says to an ordinary user."""
    executable(tmp_path / "id", "echo 1000")
    return f"{tmp_path}:{os.environ['PATH']}"


def test_commands_that_are_there_need_nothing() -> None:
    done = run("need", "sh", "sed")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_root_a_missing_command_is_named_with_what_to_install(without_root) -> None:
    done = run("need", "sh", "no-such-registry", PATH=without_root)

    assert done.returncode == 1
    assert "sudo apt-get install no-such-registry\n" in done.stderr


def test_without_root_a_python_that_lacks_venv_is_told_its_package(tmp_path, without_root) -> None:
    python = executable(
        tmp_path / "python3.11", f'case "$*" in *ensurepip*) exit 1 ;; *) exec {sys.executable} "$@" ;; esac'
    )

    done = run("venv", str(tmp_path / "venv"), PATH=without_root, PYTHON=str(python))

    assert done.returncode == 1
    assert "sudo apt-get install python3.11-venv\n" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_without_a_new_enough_python_the_tried_ones_are_named(tmp_path) -> None:
    old = executable(tmp_path / "python3", "exit 1")

    done = run("venv", str(tmp_path / "venv"), PYTHON=str(old))

    assert done.returncode == 1
    assert f"No Python >= 3.11 found (tried {old})" in done.stderr


def test_an_environment_is_made_once_and_then_kept(tmp_path) -> None:
    venv = tmp_path / "venv"
    assert run("venv", str(venv), PYTHON=sys.executable).returncode == 0
    (venv / "kept").touch()

    assert run("venv", str(venv), PYTHON=sys.executable).returncode == 0

    assert (venv / "kept").exists()
    assert (venv / "bin" / "pip").exists()
