"""On what terms an image is copied."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from syncer.settings.timeouts import DEADLINE


class ForeignLayers(enum.Enum):
    """What is done with layers that the registry does not hold; they are never fetched."""

    FAIL = "fail"  # the image is blocked
    SKIP = "skip"  # the rest is copied, where the target takes it


class Overwrite(enum.Enum):
    """Which tags at a target may be moved to another digest."""

    OURS = "ours"  # those that syncer is known to have written
    ANY = "any"


class Rollback(enum.Enum):
    """Whose word moves a tag back to what it meant before."""

    ORIGIN = "origin"  # the origin's; not that of mirrors
    ALLOW = "allow"  # anybody's who may say what a tag means
    REFUSE = "refuse"  # nobody's


@dataclass(frozen=True, slots=True)
class Terms:
    """What an image may do and may not, as its rule has it."""

    deadline: float = DEADLINE  # seconds from when its copying begins
    foreign_layers: ForeignLayers = ForeignLayers.FAIL
    overwrite: Overwrite = Overwrite.OURS
    rollback: Rollback = Rollback.ORIGIN
