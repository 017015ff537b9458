"""The network around a run: where hosts really live, which of them are known, and how long they may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.oci.names import Origin
    from syncer.settings.timeouts import Timeouts


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each part of a request may take, in seconds."""

    lookup: float = 10.0  # DNS
    connect: float = 15.0  # TCP and TLS together: aiohttp has one clock for both
    head: float = 60.0  # from the last byte sent to the answer's head
    stall: float = 30.0  # between two reads, and between two writes
    window: float = 120.0  # of waiting for bytes, in which at least `floor` bytes a second must come
    floor: float = 1024.0  # bytes per second: links into China are slow, not dead

    @classmethod
    def of(cls, timeouts: Timeouts) -> Deadlines:
        """What a file says about one host."""
        t = timeouts
        return cls(connect=t.connect, head=t.headers, stall=t.stall, window=t.window, floor=t.floor)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all wires of a run share about the network around them."""

    dial: Mapping[Origin, Origin] = field(default_factory=dict)  # where a host really lives
    configured: frozenset[Origin] = frozenset()  # may have private addresses; hosts that a server names may not
    environ: Mapping[str, str] = field(default_factory=dict)  # for its proxy variables
    deadlines: Deadlines | None = None  # of all hosts; None: what is set for each
