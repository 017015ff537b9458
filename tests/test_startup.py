"""`syncer --help` answers at once: what only a run needs is imported when it runs."""

import subprocess
import sys
import time

HEAVY = {"aiohttp", "boto3", "botocore", "docker", "jinja2", "pydantic", "yaml"}


def run_help(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "-m", "syncer", "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)


def seconds_of(deed) -> float:
    started = time.perf_counter()
    deed()
    return time.perf_counter() - started


def test_help_loads_nothing_that_only_a_run_needs() -> None:
    modules = {line.rsplit("|", 1)[-1].strip() for line in run_help("-X", "importtime").stderr.splitlines()}

    assert "click" in modules
    assert not HEAVY & modules


def test_help_answers_within_250_ms() -> None:
    """The best of five, since the machine may have other work."""
    assert min(seconds_of(run_help) for _ in range(5)) < 0.25


def test_what_a_command_imports_is_never_looked_through_for_garbage() -> None:
    script = (
        "import gc\n"
        "from syncer.cli.main import main\n"
        "main.get_command(None, 'version')\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 0)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)

    assert said.stdout == "True True\n"
