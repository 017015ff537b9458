"""Beginnings of blobs on disk, for whoever has to read them again: in this run, or in one after `kill -9`.

Every file is the beginning of one blob, whether it is the whole of it or not, and a hint: its bytes take the same way
through the hash as those of any host (law 4). So nothing is synced, renamed or noted beside it, and a file that was cut
short by a crash is a shorter beginning.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterator
    from pathlib import Path

    from syncer.clock import Clock
    from syncer.oci.digest import Digest

MIB = 1024 * 1024
MOST = 2048 * MIB  # bytes on disk, where nobody says how many
SHARE = 10  # and at most one part in so many of what is free
LIFE = 7 * 24 * 3600.0  # seconds after which nobody will come back for a blob

_NAME = re.compile("sha256-[0-9a-f]{64}[.]part|sha512-[0-9a-f]{128}[.]part")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = (
    os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
)  # never the file behind a link, or a pipe


class Part:
    """One file of a spool, open: bytes are added at its end, and read from anywhere; by threads, too."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file
        self._busy = Lock()  # a number that was closed may be another file's by now
        self.length = os.fstat(file).st_size

    def read(self, at: int, count: int) -> bytes:
        """Up to `count` bytes from `at`; none where nothing is there, or the disk does not give it back."""
        with self._busy:
            try:
                return b"" if self._file is None else os.pread(self._file, count, at)
            except OSError:
                return b""

    def append(self, chunks: deque[bytes]) -> None:
        """Add `chunks`, each of which is gone from there once it is written, until it is closed; raises OSError."""
        with self._busy:
            while chunks and self._file is not None:
                rest = memoryview(chunks[0])
                while rest:
                    written = os.write(self._file, rest)
                    self.length += written
                    rest = rest[written:]
                chunks.popleft()

    def close(self) -> None:
        """Let go of the file."""
        with self._busy:
            if self._file is not None:
                os.close(self._file)
            self._file = None


class Spool:
    """The files of one directory, at most `limit` bytes of them. What is no file of ours in it is left alone."""

    def __init__(self, directory: int, limit: int) -> None:
        self.limit = limit
        self.trouble: str | None = None
        """Why nothing more is kept, once that is so: a full disk does not stop a run."""
        self._at = directory
        self._growing: dict[str, int] = {}  # how large the files will be that are being written

    def reader(self, digest: Digest) -> Part | None:
        """What there is of `digest`; close it after use."""
        try:
            return Part(self._opened(_name(digest)))
        except OSError:
            return None

    def has(self, digest: Digest) -> bool:
        """Whether there is anything of `digest`."""
        part = self.reader(digest)
        if part is not None:
            part.close()
        return part is not None and part.length > 0

    def writer(self, digest: Digest, size: int) -> Part | None:
        """The file of a blob of `size` bytes, to add to; None where there is no room. `finished` must follow.

        What was written longest ago, and is not being written now, goes first.
        """
        name = _name(digest)
        if self.trouble is not None or name in self._growing:
            return None
        try:
            if not self._room(name, size):
                return None
            part = Part(self._opened(name, create=True))
        except OSError as error:
            self.give_up(digest, error)
            return None
        self._growing[name] = size
        return part

    def finished(self, digest: Digest, part: Part) -> None:
        """Nothing more is added to `part`, of which there may be less than was announced."""
        part.close()
        self._growing.pop(_name(digest), None)

    def drop(self, digest: Digest) -> None:
        """Have `digest` no more."""
        with contextlib.suppress(OSError):  # it was not there, or goes when the room is needed
            os.unlink(_name(digest), dir_fd=self._at)

    def forget(self, before: float) -> None:
        """Have nothing more that was last written `before` that time; raises OSError."""
        for name, found in self._files().items():
            if found.st_mtime < before:
                os.unlink(name, dir_fd=self._at)

    def give_up(self, digest: Digest, error: OSError) -> None:
        """Write nothing more in this run, and make room for others: `digest` met `error`."""
        self.drop(digest)
        self.trouble = f"nothing more is kept on disk for another attempt: {error.strerror or error}"

    def _room(self, name: str, size: int) -> bool:
        """Make room for a file; whether there is any."""
        others = {other: found for other, found in self._files().items() if other != name}
        free = self.limit - size - sum(max(found.st_size, self._growing.get(o, 0)) for o, found in others.items())
        idle = [other for other in others if other not in self._growing]
        while free < 0 and idle and size <= self.limit:
            oldest = min(idle, key=lambda other: others[other].st_mtime_ns)
            os.unlink(oldest, dir_fd=self._at)
            idle.remove(oldest)
            free += others[oldest].st_size
        return free >= 0

    def _files(self) -> dict[str, os.stat_result]:
        """The files that bear our names."""
        with os.scandir(self._at) as entries:
            ours = [each for each in entries if _NAME.fullmatch(each.name) and each.is_file(follow_symlinks=False)]
            return {each.name: each.stat(follow_symlinks=False) for each in ours}

    def _opened(self, name: str, *, create: bool = False) -> int:
        """The file `name` if it is a plain one of ours; else, to `create`, a new one in place of what is there."""
        try:
            return _ours(os.open(name, _FILE, dir_fd=self._at))
        except OSError:
            if not create:
                raise
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._at)
        return os.open(name, _FILE | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=self._at)


@dataclass(frozen=True, slots=True)
class Opened:
    """A spool, or why there is none."""

    spool: Spool | None
    refused: str | None = None

    def warnings(self, *, asked: bool) -> tuple[str, ...]:
        """What has to be said about it; who did not ask for a spool need not hear that there is none."""
        refused = (f"no spool: {self.refused}",) if self.refused and asked else ()
        return (*refused, self.spool.trouble) if self.spool and self.spool.trouble else refused


@contextlib.contextmanager
def opened(directory: Path, clock: Clock, limit: int | None = None) -> Iterator[Opened]:
    """The spool in `directory`, which no other run uses until the block ends; of `limit` bytes, or of a modest share.

    There is none where the directory cannot be made or written, belongs to somebody else, or others may write to it.
    """
    at = -1
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        at = os.open(directory, _DIRECTORY)
        _refuse_shared(at)
        fcntl.flock(at, fcntl.LOCK_EX | fcntl.LOCK_NB)
        spool = Spool(at, _share(at) if limit is None else limit)
        spool.forget(clock.now().timestamp() - LIFE)
        found = Opened(spool)
    except BlockingIOError:
        found = Opened(None, f"{directory} is in use by another run")
    except OSError as error:
        found = Opened(None, f"{directory} cannot be used: {error.strerror or error}")
    try:
        yield found
    finally:
        if at >= 0:
            os.close(at)


def _refuse_shared(directory: int) -> None:
    found = os.fstat(directory)
    if found.st_uid != os.geteuid():
        raise PermissionError(None, "it belongs to another user")
    if found.st_mode & 0o022:
        raise PermissionError(None, "others may write to it (chmod go-w)")
    if not os.access(".", os.W_OK, dir_fd=directory):
        raise PermissionError(None, "it cannot be written")


def _share(directory: int) -> int:
    disk = os.fstatvfs(directory)
    return min(MOST, disk.f_bavail * disk.f_frsize // SHARE)


def _ours(file: int) -> int:
    found = os.fstat(file)
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1:
        return file
    os.close(file)
    raise PermissionError(None, "no plain file of ours")


def _name(digest: Digest) -> str:
    return f"{digest.algorithm}-{digest.encoded}.part"
