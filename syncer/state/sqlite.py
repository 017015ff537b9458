"""State in one sqlite file: a handful of rows per image, written as they become true."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.reference import Reference
from syncer.state.records import Confirmed, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from syncer.oci.platform import Platform

T = TypeVar("T")
VERSION = 1
TABLES = """
CREATE TABLE IF NOT EXISTS confirmed (
    target TEXT PRIMARY KEY, source TEXT NOT NULL, source_digest TEXT NOT NULL, digest TEXT NOT NULL, at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rewritten (
    source TEXT, only_platforms TEXT, media_type TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (source, only_platforms)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (
    source TEXT NOT NULL, digest TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (source, digest) ON CONFLICT REPLACE
);
"""


class ForeignState(Exception):
    """The file is not a state of this version of syncer."""


class SqliteState:
    """A State that outlives its process.

    Raises ForeignState if `path` is something else, and sqlite3.OperationalError if it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.trouble: str | None = None
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        try:
            self._prepare()
        except sqlite3.OperationalError:
            self._db.close()
            raise
        except (sqlite3.DatabaseError, ForeignState) as error:
            self._db.close()
            raise ForeignState(f"{path} is not a state file of this version") from error

    def _prepare(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in (0, VERSION):
            raise ForeignState
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")  # a lost row costs a request, not a wrong answer
        self._db.executescript(TABLES)
        self._db.execute(f"PRAGMA user_version = {VERSION}")

    def confirmed(self, target: Reference) -> Confirmed | None:
        """The latest confirmation of `target`; a row that cannot be read counts as none."""
        query = "SELECT source, source_digest, digest, at FROM confirmed WHERE target = ?"
        return self._read(_confirmed, query, str(target))

    def tags(self, repository: Reference) -> int:
        """How many rows begin with the repository and a colon; a semicolon comes after that."""
        query = "SELECT count(*) FROM confirmed WHERE target > ? AND target < ?"
        return self._read(int, query, f"{repository.name}:", f"{repository.name};") or 0

    def confirm(self, target: Reference, confirmed: Confirmed) -> None:
        """Write it down at once."""
        self._write(
            "INSERT OR REPLACE INTO confirmed VALUES (?, ?, ?, ?, ?)",
            str(target),
            str(confirmed.source),
            str(confirmed.source_digest),
            str(confirmed.digest),
            confirmed.at.isoformat(),
        )

    def seen(self, source: Reference) -> Sequence[Seen]:
        """In the order of the rows, of which the latest has the highest number; what cannot be read counts as none."""
        query = "SELECT digest, at FROM seen WHERE source = ? ORDER BY rowid DESC"
        try:
            return tuple(_seen(*row) for row in self._db.execute(query, (str(source),)))
        except (ValueError, TypeError, sqlite3.DatabaseError):
            return ()

    def saw(self, source: Reference, digest: Digest, at: datetime) -> None:
        """Write it down at once, as the latest."""
        self._write("INSERT INTO seen VALUES (?, ?, ?)", str(source), str(digest), at.isoformat())

    def rewritten(self, source: Digest, only: tuple[Platform, ...]) -> Descriptor | None:
        """What was remembered for the same set of platforms; a row that cannot be read counts as none."""
        query = "SELECT media_type, digest, size FROM rewritten WHERE source = ? AND only_platforms = ?"
        return self._read(_descriptor, query, str(source), _key(only))

    def remember_rewritten(self, source: Digest, only: tuple[Platform, ...], landing: Descriptor) -> None:
        """Write it down at once."""
        self._write(
            "INSERT OR REPLACE INTO rewritten VALUES (?, ?, ?, ?, ?)",
            str(source),
            _key(only),
            landing.media_type,
            str(landing.digest),
            landing.size,
        )

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _read(self, parse: Callable[..., T], query: str, *values: str) -> T | None:
        """The row as `parse` understands it; sqlite keeps any type in any column, and the file may be damaged."""
        try:
            row = self._db.execute(query, values).fetchone()
            return None if row is None else parse(*row)
        except (ValueError, TypeError, sqlite3.DatabaseError):
            return None

    def _write(self, statement: str, *values: str | int) -> None:
        if self.trouble is None:
            try:
                self._db.execute(statement, values)
            except sqlite3.DatabaseError as error:  # full, read-only, damaged: the images are still worth moving
                self.trouble = f"nothing more is remembered for the next run: {error}"


def _confirmed(source: str, source_digest: str, digest: str, at: str) -> Confirmed:
    return Confirmed(Reference.parse(source), Digest.parse(source_digest), Digest.parse(digest), _moment(at))


def _seen(digest: str, at: str) -> Seen:
    return Seen(Digest.parse(digest), _moment(at))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _descriptor(media_type: str, digest: str, size: int) -> Descriptor:
    return Descriptor(media_type, Digest.parse(digest), size)


def _key(only: tuple[Platform, ...]) -> str:
    return " ".join(sorted(str(platform) for platform in only))
