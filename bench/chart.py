"""A picture of the medians: per scenario one bar for each contender, as long as its time against the slowest one's."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from bench.peers import SYNCER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.measure import Table

WIDTH, LABEL, BAR, STEP, HEAD = 760, 150, 480, 18, 34
OURS, THEIRS = "#0b6e4f", "#9aa5b1"


def svg(tables: Sequence[Table]) -> str:
    """The chart, as a file of its own."""
    parts, top = list[str](), 10
    for table in tables:
        drawn = _block(table, top)
        parts += drawn
        top += HEAD + STEP * (len(drawn) - 1)
    style = "font-family='sans-serif' font-size='12'"
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {top}' {style}>"
    return "\n".join([head, f"<rect width='{WIDTH}' height='{top}' fill='white'/>", *parts, "</svg>"]) + "\n"


def _block(table: Table, top: int) -> list[str]:
    """The title of a scenario, and a group of shapes for each contender that was measured."""
    timed = [(each.contender, each.seconds) for each in table.results if each.seconds is not None]
    slowest = max((seconds for _, seconds in timed), default=1.0)
    parts = [f"<text x='4' y='{top + 16}' font-weight='bold'>{escape(table.scenario.title)}</text>"]
    for number, (name, seconds) in enumerate(timed):
        y = top + HEAD - 8 + STEP * number
        width, colour = max(1.0, BAR * seconds / slowest), OURS if name == SYNCER else THEIRS
        parts.append(
            f"<g><text x='{LABEL - 8}' y='{y + 12}' text-anchor='end'>{escape(name)}</text>"
            f"<rect x='{LABEL}' y='{y}' width='{width:.1f}' height='{STEP - 4}' fill='{colour}'/>"
            f"<text x='{LABEL + width + 6:.1f}' y='{y + 12}'>{seconds:.2f} s</text></g>"
        )
    return parts
