"""Beginnings of blobs on disk: within a limit, closed to others, never through a link, never in the way."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

import pytest
from small_disk import files_of_at_most

from syncer.clock import SystemClock
from syncer.oci.digest import Digest
from syncer.state.spool import LIFE, MOST, SHARE, opened

CLOCK = SystemClock()
ONE, TWO, THREE = (Digest.of(text) for text in (b"1", b"2", b"3"))


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def spool(directory):
    with opened(directory, CLOCK, 1000) as found:
        yield found.spool


def keep(spool, digest: Digest, data: bytes) -> None:
    part = spool.writer(digest, len(data))
    part.append(deque([data]))
    spool.finished(digest, part)


def kept(spool, digest: Digest) -> bytes:
    part = spool.reader(digest)
    if part is None:
        return b""
    data = part.read(0, 10_000)
    part.close()
    return data


def path_of(directory, digest: Digest):
    return directory / f"sha256-{digest.encoded}.part"


def test_what_was_kept_is_there_in_the_next_run_and_grows(directory):
    for text in (b"first", b" second"):
        with opened(directory, CLOCK, 1000) as found:
            keep(found.spool, ONE, text)
    with opened(directory, CLOCK, 1000) as found:
        assert kept(found.spool, ONE) == b"first second"
        assert found.spool.has(ONE)
        assert not found.spool.has(TWO)


def test_files_and_directory_are_closed_to_others(directory, spool):
    keep(spool, ONE, b"x")
    assert directory.stat().st_mode & 0o077 == 0
    assert path_of(directory, ONE).stat().st_mode & 0o177 == 0


def test_the_oldest_goes_when_there_is_no_room(directory, spool):
    for age, digest in enumerate((TWO, ONE)):
        keep(spool, digest, b"x" * 400)
        os.utime(path_of(directory, digest), (age, age))
    keep(spool, THREE, b"x" * 400)
    assert [spool.has(digest) for digest in (ONE, TWO, THREE)] == [True, False, True]


def test_what_is_being_written_counts_with_what_it_will_be_and_stays(spool):
    part = spool.writer(ONE, 700)
    assert spool.writer(TWO, 400) is None
    assert spool.writer(ONE, 700) is None
    spool.finished(ONE, part)
    assert spool.writer(TWO, 400) is not None


def test_what_is_larger_than_the_limit_costs_nobody_his_place(spool):
    keep(spool, ONE, b"x" * 400)
    assert spool.writer(TWO, 1001) is None
    assert spool.has(ONE)


def test_without_a_limit_it_takes_a_modest_share(directory):
    with opened(directory, CLOCK) as found:
        disk = os.statvfs(directory)
        assert 0 < found.spool.limit <= min(MOST, disk.f_blocks * disk.f_frsize // SHARE)


def test_what_nobody_came_back_for_is_gone_after_a_week(directory):
    with opened(directory, CLOCK, 1000) as found:
        for digest, age in ((ONE, LIFE + 60), (TWO, LIFE - 60)):
            keep(found.spool, digest, b"x")
            then = CLOCK.now().timestamp() - age
            os.utime(path_of(directory, digest), (then, then))
    with opened(directory, CLOCK, 1000) as found:
        assert [found.spool.has(digest) for digest in (ONE, TWO)] == [False, True]


def test_dropped_is_gone(spool):
    keep(spool, ONE, b"x")
    spool.drop(ONE)
    spool.drop(TWO)
    assert not spool.has(ONE)


@pytest.mark.parametrize("kind", ["link", "hard link", "dangling", "pipe"])
def test_what_is_planted_under_our_name_is_replaced_and_its_victim_left_alone(directory, spool, tmp_path, kind):
    victim, name = tmp_path / "victim", path_of(directory, ONE)
    victim.write_bytes(b"precious")
    plant = {"link": name.symlink_to, "hard link": name.hardlink_to, "pipe": lambda _: os.mkfifo(name)}
    plant.get(kind, lambda _: name.symlink_to(tmp_path / "nowhere"))(victim)
    assert kept(spool, ONE) == b""
    keep(spool, ONE, b"ours")
    assert kept(spool, ONE) == b"ours"
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


def test_what_is_not_ours_is_neither_counted_nor_removed(directory, spool):
    foreign = [directory / "notes", directory / "sha256-short.part", directory / f"sha256-{'A' * 64}.part"]
    for path in foreign:
        path.write_bytes(b"x" * 5000)
    path_of(directory, TWO).mkdir()
    keep(spool, ONE, b"x" * 900)
    assert spool.has(ONE)
    assert all(path.exists() for path in foreign)


def test_a_name_that_cannot_be_had_switches_the_spool_off(directory, spool):
    path_of(directory, TWO).mkdir()
    assert spool.writer(TWO, 10) is None
    assert "nothing more is kept" in spool.trouble
    assert spool.writer(ONE, 10) is None


def test_a_disk_that_takes_no_more_says_so_and_keeps_what_it_took(spool):
    part = spool.writer(ONE, 900)
    with files_of_at_most(100), pytest.raises(OSError, match="too large"):
        part.append(deque([b"x" * 60, b"y" * 60]))
    assert part.length == 100
    spool.give_up(ONE, OSError(28, "No space left on device"))
    spool.finished(ONE, part)
    assert not spool.has(ONE)
    assert spool.trouble.endswith("No space left on device")


def test_a_closed_file_is_neither_read_nor_written(directory, spool):
    part = spool.writer(ONE, 10)
    spool.finished(ONE, part)
    part.append(deque([b"late"]))
    part.close()
    assert part.read(0, 10) == b""
    assert path_of(directory, ONE).read_bytes() == b""


def test_two_runs_do_not_share_a_spool(directory, spool):
    keep(spool, ONE, b"x")
    with opened(directory, CLOCK, 1000) as second:
        assert second.spool is None
        assert second.warnings(asked=True) == (f"no spool: {directory} is in use by another run",)
        assert second.warnings(asked=False) == ()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_directory_that_others_may_write_to_is_refused(tmp_path, mode):
    tmp_path.chmod(mode)
    with opened(tmp_path, CLOCK, 1000) as found:
        assert found.spool is None
        assert "others may write" in found.refused


def test_a_directory_behind_a_link_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "spool").symlink_to("real")
    with opened(tmp_path / "spool", CLOCK, 1000) as found:
        assert found.spool is None


def test_a_directory_of_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    with opened(tmp_path, CLOCK, 1000) as found:
        assert "another user" in found.refused


def test_a_directory_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # the system's answer to all but root
    with opened(tmp_path, CLOCK, 1000) as found:
        assert "cannot be written" in found.refused


def test_to_look_for_what_is_not_there_makes_no_file(directory, spool):
    assert not spool.has(ONE)
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("place", ["/proc/no/such/place", "/dev/null/spool"])
def test_a_place_that_cannot_be_made_is_no_reason_to_stop(place):
    with opened(Path(place), CLOCK, 1000) as found:
        assert found.spool is None
        assert found.warnings(asked=True)[0].startswith(f"no spool: {place} cannot be used")
