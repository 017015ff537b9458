"""The lock is a file of our own, and nobody else's."""

import pytest

from syncer.clock import SystemClock
from syncer.state.lock import held

CLOCK = SystemClock()


def lock_of(tmp_path):
    """The lock of a configuration, after a run of it."""
    with held(tmp_path, tmp_path / "mirrors.yaml", CLOCK):
        (path,) = tmp_path.glob("*.lock")
    return path


def test_it_is_closed_to_others(tmp_path):
    assert lock_of(tmp_path).stat().st_mode & 0o077 == 0


def test_a_link_in_its_place_is_not_followed(tmp_path):
    path, victim = lock_of(tmp_path), tmp_path / "victim"
    victim.write_text("precious")
    path.unlink()
    path.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"), held(tmp_path, tmp_path / "mirrors.yaml", CLOCK):
        pass
    assert victim.read_text() == "precious"
