"""How many bytes a second may flow, by the time of day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

LEAST = 1000  # bytes per second: below that hosts give up on us, and we on them
_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([kKMG]?)")
_UNITS = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}  # decimal, as everywhere here
_ENTRY = re.compile(r"([0-9]{1,2}):([0-9]{2}),(\S+)")
_FORM = "must be a rate in bytes per second (10M, 500k, off), or times and rates (08:00,10M 23:00,off)"


@dataclass(frozen=True, slots=True)
class Timetable:
    """Rates in bytes per second, None being no limit; each holds from its time of day to the next, across midnight."""

    entries: tuple[tuple[time, float | None], ...]

    @classmethod
    def parse(cls, text: str) -> Timetable:
        """`10M`, `off` or `08:00,10M 23:00,off`; ValueError otherwise."""
        if "," not in text:
            return cls(((time(), _rate(text.strip())),))
        entries = dict(map(_entry, text.split()))
        if len(entries) != len(text.split()):
            raise ValueError("the same time stands in the timetable twice")
        return cls(tuple(sorted(entries.items(), key=lambda entry: entry[0])))

    def rate(self, at: datetime) -> float | None:
        """Bytes per second at the time of day of `at`; None: no limit."""
        begun = [rate for start, rate in self.entries if start <= at.time()]
        return begun[-1] if begun else self.entries[-1][1]

    def __str__(self) -> str:
        """As it is written in a file."""
        if len(self.entries) == 1:
            return _shown(self.entries[0][1])
        return " ".join(f"{start:%H:%M},{_shown(rate)}" for start, rate in self.entries)


def _entry(text: str) -> tuple[time, float | None]:
    match = _ENTRY.fullmatch(text)
    if not match:
        raise ValueError(_FORM)
    try:
        return time(int(match[1]), int(match[2])), _rate(match[3])
    except ValueError as exc:
        raise ValueError(_FORM) from exc


def _rate(text: str) -> float | None:
    if text in ("off", "0"):
        return None
    rate = bytes_per_second(text)
    if rate is None:
        raise ValueError(_FORM)
    if rate < LEAST:
        raise ValueError(f"must be at least {_shown(LEAST)}, in bytes per second")
    return rate


def bytes_per_second(text: str) -> float | None:
    """`10M`, `1.5k` or `700` as a number; None if it is no rate."""
    match = _RATE.fullmatch(text)
    return float(match[1]) * _UNITS[match[2]] if match else None


def _shown(rate: float | None) -> str:
    if rate is None:
        return "off"
    forms = (f"{rate / _UNITS[unit]:.3f}".rstrip("0").rstrip(".") + unit for unit in ("G", "M", "k", ""))
    return next(form for form in forms if form[0] != "0" and bytes_per_second(form) == rate)
