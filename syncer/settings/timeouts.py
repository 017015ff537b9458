"""How long a host, and an image, may take."""

from __future__ import annotations

from dataclasses import dataclass

DEADLINE = 2 * 3600.0
"""Seconds that one image may take, unless the file says otherwise."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each part of a request to one host may take, in seconds."""

    connect: float = 15.0  # TCP and TLS together, 10 s and 5 s: aiohttp has one clock for both
    headers: float = 60.0  # from the last byte sent to the answer's head; twice that for a manifest that is put
    stall: float = 30.0  # between two reads, and between two writes
    floor: float = 1024.0  # bytes a second that must come over `window`: links into China are slow, not dead
    window: float = 120.0  # of waiting for bytes
