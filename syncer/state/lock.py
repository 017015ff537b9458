"""One run per configuration file: an advisory lock that dies with its process."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from typing import TYPE_CHECKING

from syncer.errors import LockHeld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from syncer.clock import Clock


@contextlib.contextmanager
def held(directory: Path, config: Path, clock: Clock) -> Iterator[None]:
    """Hold the lock of `config` (its resolved path) in `directory` until the block ends.

    Raises LockHeld at once, naming the process that has it; the name may be missing where the disk is full. Two
    different files may run together. The kernel lets go of the lock when the process ends, however it ends, so a
    stale lock cannot be.
    """
    path = directory / f"{hashlib.sha256(os.fsencode(config.resolve())).hexdigest()[:16]}.lock"
    with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise LockHeld(f"another run works with {config}: {file.read(80).strip() or 'unknown process'}") from error
        with contextlib.suppress(OSError):
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), f"process {os.getpid()}, since {clock.now():%Y-%m-%dT%H:%M:%SZ}\n".encode())
        yield
