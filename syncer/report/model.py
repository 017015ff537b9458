"""The report: what became of every image at every target, as data."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncer.errors import Failure
    from syncer.oci.digest import Digest
    from syncer.oci.reference import Reference
    from syncer.oci.said import Said


class Status(enum.Enum):
    """What became, or will become, of one image at one target (design: `status`)."""

    # sync, apply, copy
    COPIED = "copied"
    UP_TO_DATE = "up_to_date"
    KEPT = "kept"
    FAILED = "failed"
    DEFERRED = "deferred"
    BLOCKED = "blocked"
    # plan
    ADD = "add"
    UPDATE = "update"
    # verify
    OK = "ok"
    DIFFERS = "differs"
    MISSING = "missing"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One (source tag, target)."""

    source: Reference
    target: Reference
    status: Status
    digest: Digest | None = None  # at the target, now (plan: afterwards)
    source_digest: Digest | None = None
    resolved_by: str | None = None
    verified: bool = False  # the target was looked at after the tag was put, or by verify
    via: tuple[str, ...] = ()  # hosts that sent bytes
    bytes_moved: int = 0  # layer and config bytes uploaded to this target
    bytes_reused: int = 0  # found there or mounted
    seconds: float = 0.0
    attempts: int = 0
    failure: Failure | None = None
    left_out: tuple[Digest, ...] = ()  # layers that its registry does not hold: the image is there without them
    said: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Pulls:
    """A registry's pull budget, by its own count, and what this run took of it."""

    left: int
    limit: int | None  # of which those are left
    window: int | None  # seconds in which so many are granted
    used: int  # manifests that it gave in this run: a run of the same plan needs as many


@dataclass(frozen=True, slots=True)
class HostLine:
    """What one host did in this run."""

    host: str
    requests: int = 0
    received: int = 0  # body bytes
    blamed: str | None = None  # why it is not asked any more
    pulls: Pulls | None = None  # None: it counts none


@dataclass(frozen=True, slots=True)
class Run:
    """Which run it was."""

    id: str
    command: str
    started: str  # RFC 3339
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """All outcomes of a run, one for each (source tag, target), always."""

    run: Run
    outcomes: tuple[Outcome, ...]
    hosts: tuple[HostLine, ...] = ()
    warnings: tuple[str, ...] = ()
    interrupted: int | None = None  # the signal's exit code, 130 or 143
