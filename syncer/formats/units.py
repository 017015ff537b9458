"""Sizes, durations and digests as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncer.oci.digest import Digest

_THOUSAND = 1000  # decimal, as ECR bills
_MINUTE, _HOUR = 60, 3600


def size(count: float) -> str:
    """`count` bytes with three digits or so: 512 B, 44.0 MB."""
    if count < _THOUSAND:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= _THOUSAND
        if round(count, 1) < _THOUSAND:
            return f"{count:.1f} {unit}"
    return f"{count / _THOUSAND:.1f} TB"


def duration(seconds: float) -> str:
    """0.4 s, 12.3 s, 1m17s, 2h05m."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"


def short(digest: Digest | None) -> str:
    """The first twelve hexadecimal digits, as screens show them; files have the whole."""
    return "-" if digest is None else f"{digest.algorithm}:{digest.short}"


def plural(count: int, noun: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
