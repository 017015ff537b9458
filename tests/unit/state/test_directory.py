"""Where state lives: the file, the lock, and what happens where there is neither."""

import multiprocessing
import resource
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncer.clock import SystemClock
from syncer.errors import LockHeld
from syncer.oci.digest import Digest
from syncer.oci.reference import Reference
from syncer.state.directory import opened
from syncer.state.lock import held
from syncer.state.records import Confirmed

CLOCK = SystemClock()
TARGET = Reference.parse("registry.example.com/base/nginx:1.27")
SEEN = Confirmed(Reference.parse("nginx:1.27"), Digest.of(b"a"), Digest.of(b"a"), datetime(2026, 11, 24, tzinfo=UTC))


def test_what_was_confirmed_is_there_in_the_next_run(tmp_path):
    with opened(tmp_path / "deep" / "state", tmp_path / "mirrors.yaml", CLOCK) as first:
        first.state.confirm(TARGET, SEEN)
    with opened(tmp_path / "deep" / "state", tmp_path / "mirrors.yaml", CLOCK) as second:
        assert second.state.confirmed(TARGET) == SEEN
        assert second.warnings == ()


def test_the_directory_is_closed_to_others(tmp_path):
    with opened(tmp_path / "state", tmp_path / "mirrors.yaml", CLOCK):
        assert (tmp_path / "state").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("mode", "warned"), [(0o700, False), (0o770, False), (0o777, True), (0o1777, True)])
def test_a_directory_that_anybody_can_write_into_is_warned_of(tmp_path, mode, warned):
    directory = tmp_path / "state"
    directory.mkdir()
    directory.chmod(mode)

    with opened(directory, None, CLOCK) as found:
        assert [f"chmod o-w {directory}" in warning for warning in found.warnings] == [True] * warned


def test_a_second_run_of_the_same_file_is_refused_with_the_process_named(tmp_path):
    config = tmp_path / "mirrors.yaml"
    with (
        opened(tmp_path, config, CLOCK),
        pytest.raises(LockHeld, match=r"process \d+, since 20"),
        held(tmp_path, config, CLOCK),
    ):
        pytest.fail("two runs at once")


def test_a_full_disk_costs_the_lock_no_more_than_its_words(tmp_path):
    config = tmp_path / "mirrors.yaml"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with (
            held(tmp_path, config, CLOCK),
            pytest.raises(LockHeld, match="unknown process"),
            held(tmp_path, config, CLOCK),
        ):
            pytest.fail("two runs at once")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_two_files_may_run_together(tmp_path):
    with opened(tmp_path, tmp_path / "a.yaml", CLOCK), opened(tmp_path, tmp_path / "b.yaml", CLOCK) as second:
        assert second.warnings == ()


def hold_and_die(directory, ready):
    with opened(directory, directory / "mirrors.yaml", CLOCK):
        ready.set()
        multiprocessing.Event().wait(60)


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=hold_and_die, args=(tmp_path, ready))
    process.start()
    assert ready.wait(20)
    process.kill()
    process.join()
    with opened(tmp_path, tmp_path / "mirrors.yaml", CLOCK) as after:
        assert after.warnings == ()


@pytest.mark.parametrize("garbage", [b"not a database at all" * 100, b"\0" * 4096])
def test_garbage_is_put_aside_with_a_warning(tmp_path, garbage):
    (tmp_path / "state.sqlite").write_bytes(garbage)
    with opened(tmp_path, tmp_path / "mirrors.yaml", CLOCK) as state:
        assert "put aside" in state.warnings[0]
        assert state.state.confirmed(TARGET) is None
    assert (tmp_path / "state.unreadable").read_bytes() == garbage


def test_a_state_from_the_future_is_put_aside(tmp_path):
    db = sqlite3.connect(tmp_path / "state.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with opened(tmp_path, tmp_path / "mirrors.yaml", CLOCK) as state:
        assert "put aside" in state.warnings[0]


def test_without_a_place_the_run_goes_on_with_a_warning():
    with opened(Path("/proc/no/such/place"), Path("mirrors.yaml"), CLOCK) as state:
        state.state.confirm(TARGET, SEEN)
        assert state.state.confirmed(TARGET) == SEEN
        assert "no state and no lock" in state.warnings[0]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE confirmed SET digest = 'sha256:../../x'",
        "UPDATE confirmed SET at = '2026-01-01T00:00:00'",
    ],
)  # a time without its zone
def test_a_row_that_cannot_be_read_counts_as_none(tmp_path, damage):
    with opened(tmp_path, tmp_path / "mirrors.yaml", CLOCK) as state:
        state.state.confirm(TARGET, SEEN)
    db = sqlite3.connect(tmp_path / "state.sqlite")
    with db:
        assert db.execute(damage).rowcount == 1
    db.close()
    with opened(tmp_path, tmp_path / "mirrors.yaml", CLOCK) as state:
        assert state.state.confirmed(TARGET) is None


def test_a_full_disk_does_not_stop_the_run(tmp_path):
    with opened(tmp_path, tmp_path / "mirrors.yaml", CLOCK) as state:
        state.state._db.execute("PRAGMA max_page_count = 1")
        for number in range(200):
            state.state.confirm(Reference.parse(f"registry.example.com/base/nginx:{number}"), SEEN)
        assert "full" in state.state.trouble


def test_a_link_in_the_place_of_the_state_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "state.sqlite").symlink_to(victim)
    with opened(tmp_path / "state", tmp_path / "mirrors.yaml", CLOCK) as found:
        assert "is a link" in "".join(found.warnings)
    assert victim.read_bytes() == b""
