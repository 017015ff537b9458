"""The plan: all decided copies and non-copies, as data that can be printed, tested, saved and sent elsewhere.

    Plan ─┬─ Copy   one source reference, its pinned root, and the destinations that lack it
          ├─ Skip   one destination where nothing is to be done: up to date, or kept
          └─ Lost   destinations that cannot be served, with the error that says why: failed or blocked

Fan-out is in the data: a Copy lists its destinations, and whoever runs it reads the source once.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.settings.timeouts import DEADLINE

if TYPE_CHECKING:
    from syncer.errors import Failure
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.platform import Platform
    from syncer.oci.reference import Reference
    from syncer.oci.said import Said


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a copy goes: a tag (or a bare digest) at a target."""

    target: str  # the name that mirrors.yaml gives the target
    reference: Reference  # with its tag
    before: Digest | None = None  # what the tag means there now


class Why(enum.Enum):
    """Why nothing is to be done."""

    UP_TO_DATE = "up_to_date"
    KEPT = "kept"  # nobody could be asked; the tag was confirmed recently enough


@dataclass(frozen=True, slots=True)
class Copy:
    """One image to move to the destinations that lack it."""

    source: Reference  # as the rule names it, with its tag or digest
    root: Descriptor  # what it means at the source
    landing: Descriptor  # what the tag will mean at the targets: `root`, or the index that was cut down from it
    resolved_by: str
    destinations: tuple[Destination, ...]
    said: tuple[Said, ...] = ()
    only: tuple[Platform, ...] = ()  # platforms kept of an index; empty: all. A `landing` that is `root` is then sparse
    referrers: bool = False
    size: int = 0  # bytes of its distinct blobs
    deadline: float = DEADLINE  # seconds from when its copying begins
    left_out: tuple[Digest, ...] = ()  # layers that its registry does not hold, and that stay where they are


@dataclass(frozen=True, slots=True)
class Skip:
    """A destination that needs nothing."""

    source: Reference
    destination: Destination
    why: Why
    digest: Digest  # what the tag means at the target
    source_digest: Digest | None  # what it means at the source; None where nobody could be asked
    resolved_by: str
    said: tuple[Said, ...] = ()
    warning: Failure | None = None  # for KEPT: what stood in the way of asking
    referrers: bool = False  # what refers to the image is there as well
    only: tuple[Platform, ...] = ()  # the platforms of its index that are wanted; empty: all


@dataclass(frozen=True, slots=True)
class Lost:
    """Destinations that cannot be served; reported, never dropped."""

    source: Reference
    destinations: tuple[Destination, ...]
    failure: Failure
    blocked: bool = False  # only a person can change it
    said: tuple[Said, ...] = ()
    source_digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run will do, and everything that it will not, with the reason."""

    config: str  # path of the file it was made from
    config_sha256: str
    created: str  # RFC 3339
    copies: tuple[Copy, ...] = ()
    skips: tuple[Skip, ...] = ()
    lost: tuple[Lost, ...] = ()
    creates: tuple[tuple[str, str], ...] = ()  # (target, repository) that `prepare` will create
    warnings: tuple[str, ...] = field(default_factory=tuple)
