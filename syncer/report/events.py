"""What happens during a run, for whoever draws it: an Observer is any callable that takes an Event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncer.oci.digest import Digest
    from syncer.oci.reference import Reference
    from syncer.report.model import Outcome


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The plan is known: this many destinations, this many bytes at most."""

    images: int
    size: int


@dataclass(frozen=True, slots=True)
class ImageStarted:
    """Work on one copy began."""

    source: Reference


@dataclass(frozen=True, slots=True)
class BlobStarted:
    """A blob is being read."""

    source: Reference
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class BlobMoved:
    """`count` more bytes of a blob came from `host`."""

    digest: Digest
    count: int
    host: str


@dataclass(frozen=True, slots=True)
class BlobFinished:
    """A blob is done with, one way or the other."""

    digest: Digest


@dataclass(frozen=True, slots=True)
class ImageFinished:
    """What became of an image at one target."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Noted:
    """A sentence for the person who watches: a mirror was blamed, a wait began."""

    text: str


Event = RunStarted | ImageStarted | BlobStarted | BlobMoved | BlobFinished | ImageFinished | Noted
Observer = Callable[[Event], None]


def unseen(_event: Event) -> None:
    """The observer of a run that nobody watches."""
