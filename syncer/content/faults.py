"""What can be made wrong with a repository in memory."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncer.errors import SyncerError
    from syncer.oci.digest import Digest


@dataclass(slots=True)
class Faults:
    """What is wrong with a repository in memory; `times` counts down, None means for good."""

    errors: defaultdict[str, deque[SyncerError]] = field(default_factory=lambda: defaultdict(deque))
    altered: dict[Digest, int | None] = field(default_factory=dict)
    cuts: dict[Digest, deque[int]] = field(default_factory=dict)

    def sent(self, digest: Digest, data: bytes) -> bytes:
        """What a reader of `digest` gets: `data`, or the same with its first byte altered."""
        times = self.altered.get(digest, 0)
        if times == 0:
            return data
        self.altered[digest] = None if times is None else times - 1
        return bytes([data[0] ^ 1]) + data[1:] if data else b"\0"

    def cut(self, digest: Digest) -> int | None:
        """After how many bytes the connection that sends `digest` breaks, this time."""
        cuts = self.cuts.get(digest)
        return cuts.popleft() if cuts else None
