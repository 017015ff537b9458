"""Where state lives, and what happens where it cannot."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.state.lock import held
from syncer.state.memory import MemoryState
from syncer.state.sqlite import ForeignState, SqliteState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from syncer.clock import Clock
    from syncer.state.records import State


@dataclass(frozen=True, slots=True)
class Opened:
    """A State, and what had to be said about it."""

    state: State
    warnings: tuple[str, ...] = ()


@contextlib.contextmanager
def opened(directory: Path, lock: Path | None, clock: Clock) -> Iterator[Opened]:
    """The state in `directory`, with the lock of the configuration `lock` held; None: for commands that only read.

    Where the directory cannot be made or written, the run goes on without state, without lock, or without both, and a
    warning says so; a file that is no state of ours is put aside, with a warning. Raises LockHeld.
    """
    with contextlib.ExitStack() as stack:
        lacking = "no state and no lock" if lock else "no state"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if lock is not None:
                stack.enter_context(held(directory, lock, clock))
            lacking = "no state"
            state, warnings = _sqlite(directory)
        except (OSError, sqlite3.OperationalError) as error:
            yield Opened(MemoryState(), (f"{lacking}: {directory} cannot be used ({error})",))
            return
        stack.callback(state.close)
        yield Opened(state, (*warnings, *_open_to_others(directory)))


def _open_to_others(directory: Path) -> tuple[str, ...]:
    """The state is what tags are kept and moved by; a group may share it, as volumes are mounted."""
    if not directory.stat().st_mode & stat.S_IWOTH:
        return ()
    return (f"anybody on this machine can change the state in {directory}: chmod o-w {directory}",)


def _sqlite(directory: Path) -> tuple[SqliteState, tuple[str, ...]]:
    path = directory / "state.sqlite"
    if path.is_symlink():
        raise OSError(f"{path.name} is a link")
    try:
        return SqliteState(path), ()
    except ForeignState as error:
        aside = path.with_suffix(".unreadable")
        path.replace(aside)
        for leftover in ("-wal", "-shm"):
            path.with_name(path.name + leftover).unlink(missing_ok=True)
        return SqliteState(path), (f"{error}; it was put aside as {aside.name}, and a new one begun",)
