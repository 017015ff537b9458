"""How a run is limited from the command line: its bandwidth, and its time."""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from syncer.formats.units import duration
from syncer.report.events import Noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from syncer.engine.stop import Stop
    from syncer.report.events import Observer

T = TypeVar("T")

_DURATION = re.compile(r"(?=.)(?:([0-9]{1,5})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,7})m)?(?:([0-9]{1,8})s)?")
_UNITS = (86400, 3600, 60, 1)


def parsed(parse: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, str | None], T | None]:
    """The callback of an option whose value `parse` makes of text; its ValueError becomes click's own error."""

    def convert(_ctx: click.Context, _param: click.Parameter, text: str | None) -> T | None:
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            raise click.BadParameter(f"{text!r} {error}") from error

    return convert


def seconds(text: str) -> float:
    """`90s`, `30m`, `2h`, `1h30m` or `1d`, in seconds; more than none."""
    match = _DURATION.fullmatch(text)
    found = sum(int(count or 0) * unit for count, unit in zip(match.groups(), _UNITS, strict=True)) if match else 0
    if not found:
        raise ValueError("must be a time such as 90s, 30m, 2h, 1h30m or 1d")
    return float(found)


@contextmanager
def ending_after(allowed: float | None, stop: Stop, observe: Observer) -> Iterator[None]:
    """Tell `stop` when so many seconds have passed before the block ended; on the event loop."""
    if allowed is None:
        yield
        return

    def over() -> None:
        if not stop.requested:
            observe(Noted(f"{duration(allowed)} are over: finishing what can be finished in {stop.grace:.0f} s"))
        stop.expire()

    timer = asyncio.get_running_loop().call_later(allowed, over)
    try:
        yield
    finally:
        timer.cancel()
