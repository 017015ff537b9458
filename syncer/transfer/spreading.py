"""When one read uses several connections, and how it cuts the blob for them."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Spreading:
    """When ranges are worth it, and how they are cut."""

    smallest: int = 8 * MIB  # bytes of a blob that may be read in ranges
    slow: float = 8.0 * MIB  # bytes per second: a faster connection is enough
    worth: float = 2.0  # seconds that the rest would take one connection
    watch: float = 1.0  # seconds of waiting for bytes after which its rate is known
    span: float = 0.5  # seconds that a range should take
    least: int = 1 * MIB  # bytes of a range
    largest: int = 4 * MIB
    first: int = 2  # ranges at a time, to begin with
    most: int = 24
    opening: int = 8  # of these, not answered yet
    behind: float = 4.0  # times that another range was faster than who is given up
    patience: float = 0.5  # seconds between two looks at a range that is waited for; nobody is judged by less than two
