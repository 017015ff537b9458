"""What a host says a tag means: part of a resolution, of a plan and of a report alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncer.errors import Failure
    from syncer.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class Said:
    """What one host answered when it was asked what a tag means."""

    host: str
    digest: Digest | None = None
    failure: Failure | None = None
