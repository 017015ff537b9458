"""What was measured as Markdown for people and JSON for programs."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.figures import verdicts
from bench.peers import OURS, SYNCER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.measure import Result, Table

MB = 1e6
HEAD = (
    "", "median s", "all runs", "syncer ÷ it", "CPU s", "CPU s/GB", "peak MiB", "requests source + target",
    "connections", "MB out of source", "MB into targets", "tags as at the source",
)  # fmt: skip


def markdown(tables: Sequence[Table]) -> str:
    """One section per scenario, and what came of the figures."""
    parts = [f"Measured on {machine()}. Ratios are of medians of one session; seconds of others do not compare.\n"]
    for table in tables:
        parts += [f"## {table.scenario.name}: {table.scenario.title}\n", _corpus(table), _table(table), _kinds(table)]
    parts += ["## Figures\n", _figures(tables)]
    return "\n".join(part for part in parts if part)


def document(tables: Sequence[Table]) -> dict[str, Any]:
    """All samples, as data."""
    return {
        "machine": machine(),
        "scenarios": [
            {
                "name": table.scenario.name,
                "title": table.scenario.title,
                "corpus": asdict(table.census),
                "contenders": {each.contender: [asdict(sample) for sample in each.samples] for each in table.results},
            }
            for table in tables
        ],
        "figures": [asdict(each) | {"verdict": each.word} for each in verdicts(_by_name(tables))],
    }


def machine() -> str:
    """What it was measured on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"


def rows(lines: Sequence[Sequence[str]]) -> str:
    """A table; the first line is its head."""
    head, *body = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([head, "|" + "---|" * len(lines[0]), *body]) + "\n"


def _by_name(tables: Sequence[Table]) -> dict[str, Table]:
    return {table.scenario.name: table for table in tables}


def _corpus(table: Table) -> str:
    counted = table.census
    return (
        f"{counted.repositories} repositories, {counted.tags} tags, {counted.manifests} manifests, "
        f"{counted.placed} blobs ({counted.distinct} distinct), {counted.placed_bytes / MB:.0f} MB placed, "
        f"{counted.distinct_bytes / MB:.0f} MB distinct.\n"
    )


def _table(table: Table) -> str:
    shown = [each for each in table.results if each.samples or each.contender not in OURS]
    return rows([HEAD, *(_line(table, each) for each in shown)])


def _line(table: Table, result: Result) -> list[str]:
    if result.seconds is None:
        return [result.contender, "not measured", *[""] * (len(HEAD) - 2)]
    ours, last = table.of(SYNCER), result.middle
    ratio = f"{ours.seconds / result.seconds:.2f}" if ours and ours.seconds and ours is not result else ""
    moved = max(last.target.blob_bytes_in, last.source.blob_bytes_out) / 1e9
    failed = sum(each.spent.failed for each in result.samples)
    return [
        result.contender + (f" ({failed} commands failed)" if failed else ""),
        f"{result.seconds:.2f}",
        " ".join(f"{each.spent.seconds:.2f}" for each in result.samples),
        ratio,
        f"{result.cpu:.2f}",
        f"{result.cpu / moved:.2f}" if moved else "",
        f"{result.peak / (1 << 20):.0f}",
        f"{last.source.total} + {last.target.total}",
        str(last.connections) if table.scenario.far else "",
        f"{last.source.blob_bytes_out / MB:.1f}",
        f"{last.target.blob_bytes_in / MB:.1f}",
        f"{last.same} of {last.tags}",
    ]


def _kinds(table: Table) -> str:
    """Requests by kind: a column per contender and end."""
    here = [each for each in table.results if each.samples]
    ends = [(each.contender, end, getattr(each.middle, end).requests) for each in here for end in ("source", "target")]
    kinds = sorted({kind for _, _, counted in ends for kind in counted})
    if not kinds:
        return ""
    head = ["requests", *(f"{who}, {end}" for who, end, _ in ends)]
    return rows([head, *([kind, *(str(counted.get(kind, "")) for _, _, counted in ends)] for kind in kinds)])


def _figures(tables: Sequence[Table]) -> str:
    lines = [
        [each.says, f"≤ {_number(each.limit)}", "" if each.value is None else _number(each.value), each.word]
        for each in verdicts(_by_name(tables))
    ]
    return rows([["figure", "wanted", "measured", ""], *lines])


def _number(value: float) -> str:
    """Whole where it is large."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits are enough
