"""The numbers behind every display of progress: events in, counts out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.formats.text import word
from syncer.formats.units import duration, size
from syncer.report.events import BlobFinished, BlobMoved, BlobStarted, ImageFinished, RunStarted
from syncer.report.model import Status

if TYPE_CHECKING:
    from syncer.clock import Clock
    from syncer.oci.digest import Digest
    from syncer.report.events import Event


@dataclass(slots=True)
class InFlight:
    """One blob that is being read."""

    title: str
    size: int
    done: int = 0
    host: str = ""


class Tally:
    """Counts what an Observer is told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self.images: int | None = None  # None while nobody knows: planning
        self.moved = 0  # bytes read from sources
        self.count: Counter[Status] = Counter()
        self.blobs: dict[Digest, InFlight] = {}

    def __call__(self, event: Event) -> None:
        """Count `event`."""
        match event:
            case RunStarted(images):
                self.images = images
            case BlobStarted(source, digest, length):
                self.blobs[digest] = InFlight(source.familiar, length)
            case BlobMoved(digest, count, host):
                self._advance(digest, count, host)
            case BlobFinished(digest):
                self.blobs.pop(digest, None)
            case ImageFinished(outcome):
                self.count[outcome.status] += 1
            case _:
                return

    def _advance(self, digest: Digest, count: int, host: str) -> None:
        self.moved += count
        if blob := self.blobs.get(digest):
            blob.done += count
            blob.host = host

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self._clock.monotonic() - self._began

    @property
    def rate(self) -> float:
        """Bytes a second since the start."""
        return self.moved / max(self.seconds, 0.001)

    def line(self) -> str:
        """How far the run is, in one line."""
        if self.images is None:
            return f"planning  {duration(self.seconds)}"
        counts = [f"{word(status)} {self.count[status]}" for status in Status if self.count[status]]
        images = f"{self.count.total()}/{self.images} images"
        return "  ".join([images, *counts, size(self.moved), f"{size(self.rate)}/s", duration(self.seconds)])
