"""How much a transfer may hold, and how long those who share a read wait for each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncer.transfer.spreading import Spreading

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tuning:
    """Limits of one process, whatever the size and number of images; windows and shelf together are 56 MiB."""

    windows: int = 48 * MIB  # bytes that all reads together may hold
    window: int = 2 * MIB  # bytes that the slowest target of a read may lag behind the source
    shelf: int = 8 * MIB  # bytes of finished small blobs that are kept for targets yet to come
    shelved: int = 4 * MIB  # a blob larger than this is read again rather than kept
    gather: float = 3.0  # seconds that a read waits for other targets that need the same blob
    slow: float = 10.0  # seconds that the read of a blob must be going to take to be kept on disk for another attempt
    stall: float = 10.0  # seconds that one target may hold up the others of its read
    blobs: int = 64  # blobs on their way to one registry at the same time, all images together
    per_image: int = 32  # of these, for one image at one target: its layers, for most images
    spreading: Spreading = field(default_factory=Spreading)  # when one read uses several connections
