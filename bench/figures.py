"""The figures that are to be reached, and whether they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.peers import SYNCER

if TYPE_CHECKING:
    from bench.measure import Result, Table

Tables = Mapping[str, "Table"]  # by scenario
GB = 1e9
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Figure:
    """A value that shall not be above `limit`; `value` is None where it was not measured."""

    says: str
    limit: float
    value: Callable[[Tables], float | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure as it came out."""

    says: str
    limit: float
    value: float | None

    @property
    def word(self) -> str:
        """The last column."""
        if self.value is None:
            return "not measured"
        return "reached" if self.value <= self.limit else "not reached"


def verdicts(tables: Tables) -> list[Verdict]:
    """All figures."""
    return [Verdict(each.says, each.limit, each.value(tables)) for each in FIGURES]


# --- values -----------------------------------------------------------------------------------------------------------


def _ours(tables: Tables, scenario: str) -> Result | None:
    table = tables.get(scenario)
    return table.of(SYNCER) if table else None


def _against(scenario: str, peer: str) -> Callable[[Tables], float | None]:
    """Our time as a part of `peer`'s."""

    def value(tables: Tables) -> float | None:
        table = tables.get(scenario)
        ours, theirs = (table.of(SYNCER), table.of(peer)) if table else (None, None)
        return ours.seconds / theirs.seconds if ours and theirs and ours.seconds and theirs.seconds else None

    return value


def _against_best(scenario: str) -> Callable[[Tables], float | None]:
    """Our time as a part of the best peer's."""

    def value(tables: Tables) -> float | None:
        table, ours = tables.get(scenario), _ours(tables, scenario)
        if table is None or ours is None or ours.seconds is None or table.best_peer is None:
            return None
        return ours.seconds / table.best_peer

    return value


def _seconds(scenario: str) -> Callable[[Tables], float | None]:
    return lambda tables: ours.seconds if (ours := _ours(tables, scenario)) else None


def _source_bytes(scenario: str) -> Callable[[Tables], float | None]:
    """Bytes of blobs that the source sent, as a multiple of the distinct ones."""

    def value(tables: Tables) -> float | None:
        ours = _ours(tables, scenario)
        return ours.middle.source.blob_bytes_out / tables[scenario].census.distinct_bytes if ours else None

    return value


def _target_bytes(scenario: str) -> Callable[[Tables], float | None]:
    """Bytes of blobs that one target got, as a multiple of the distinct ones."""

    def value(tables: Tables) -> float | None:
        ours, table = _ours(tables, scenario), tables.get(scenario)
        if ours is None or table is None:
            return None
        return ours.middle.target.blob_bytes_in / table.census.distinct_bytes / table.scenario.targets

    return value


def _target_requests(scenario: str) -> Callable[[Tables], float | None]:
    return lambda tables: ours.middle.target.total if (ours := _ours(tables, scenario)) else None


def _all_requests(scenario: str) -> Callable[[Tables], float | None]:
    return lambda tables: (
        ours.middle.source.total + ours.middle.target.total if (ours := _ours(tables, scenario)) else None
    )


def _peak(*scenarios: str) -> Callable[[Tables], float | None]:
    """The highest peak of memory in MiB."""

    def value(tables: Tables) -> float | None:
        peaks = [ours.peak / MIB for name in scenarios or tables if (ours := _ours(tables, name))]
        return max(peaks, default=None)

    return value


def _cpu_per_gb(scenario: str, apart: float) -> Callable[[Tables], float | None]:
    """CPU seconds per GB of blobs, without `apart` seconds for starting."""

    def value(tables: Tables) -> float | None:
        ours = _ours(tables, scenario)
        return (ours.cpu - apart) / (tables[scenario].census.distinct_bytes / GB) if ours else None

    return value


START_UP = 0.4  # CPU seconds of a start with its imports

FIGURES = (
    Figure("cold: bytes from the source ÷ distinct bytes", 1.0, _source_bytes("cold")),
    Figure("cold: bytes to the target ÷ distinct bytes", 1.0, _target_bytes("cold")),
    Figure("cold: requests at the target", 1255, _target_requests("cold")),
    Figure("cold: time ÷ skopeo", 0.40, _against("cold", "skopeo")),
    Figure("far: time ÷ best peer", 0.5, _against_best("far")),
    Figure("far: time ÷ skopeo", 0.035, _against("far", "skopeo")),
    Figure("far: seconds", 5.6, _seconds("far")),
    Figure("far, unchanged: seconds from process start", 0.9, _seconds("far-unchanged")),
    Figure("1 GB layer: time ÷ skopeo", 0.65, _against("big", "skopeo")),
    Figure("1 GB layer, TLS: time ÷ skopeo", 0.65, _against("big-tls", "skopeo")),
    Figure("1 GB layer: CPU seconds per GB, start-up apart", 1.6, _cpu_per_gb("big", START_UP)),
    Figure("1 GB layer, TLS: CPU seconds per GB, start-up apart", 2.5, _cpu_per_gb("big-tls", START_UP)),
    Figure("256 MB at 4 MB/s per connection, three mirrors: time ÷ best peer", 0.15, _against_best("narrow")),
    Figure("fan-out: bytes from the source ÷ distinct bytes", 1.0, _source_bytes("fan-out")),
    Figure("fan-out: time ÷ best peer", 0.5, _against_best("fan-out")),
    Figure("10,000 unchanged tags at ECR: requests", 10_040, _all_requests("ecr-10000")),
    Figure("10,000 unchanged tags at ECR: peak MiB", 300, _peak("ecr-10000")),
    Figure("4 GiB layer: peak MiB", 150, _peak("huge")),
)
