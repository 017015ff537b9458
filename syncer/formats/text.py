"""Reports and plans as text: the verdict last, failures just above it, grouped by cause, each with its next step."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from syncer.formats.units import duration, plural, short, size
from syncer.report.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from syncer.errors import Failure
    from syncer.plan.model import Plan
    from syncer.report.model import Outcome, Report

QUIET_STATUSES = frozenset({Status.UP_TO_DATE, Status.OK})
LISTED = 10  # images that one cause lists before it counts the rest
SIGNS = {
    Status.ADD: "+",
    Status.UPDATE: "~",
    Status.UP_TO_DATE: "=",
    Status.KEPT: "k",
    Status.FAILED: "!",
    Status.BLOCKED: "x",
}


def line(outcome: Outcome) -> str:
    """One image at one target, in one line that can be searched."""
    parts = [f"{outcome.status.value:<10} {outcome.source.familiar} -> {outcome.target}"]
    if outcome.digest and not outcome.failure:
        parts.append(short(outcome.digest))
    if outcome.status is Status.COPIED:
        parts += [size(outcome.bytes_moved), f"reused={size(outcome.bytes_reused)}", duration(outcome.seconds)]
        parts += [f"via={','.join(outcome.via)}"] if outcome.via else []
    if outcome.failure:
        parts.append(f"{outcome.failure.code} {outcome.failure.message}")
    return "  ".join(parts)


def plan_lines(plan: Plan, outcomes: Sequence[Outcome], *, every: bool) -> Iterator[str]:
    """What a sync would do: one line per image and target that changes, with `every` the others too."""
    sizes = {copy.source: copy.size for copy in plan.copies}
    before = {d.reference: d.before for copy in plan.copies for d in copy.destinations}
    for outcome in outcomes:
        if every or outcome.status not in QUIET_STATUSES:
            change = _change(outcome, before.get(outcome.target))
            amount = f"  {size(sizes[outcome.source])}" if outcome.source in sizes and not outcome.failure else ""
            yield f"  {SIGNS[outcome.status]} {outcome.source.familiar} -> {outcome.target}{change}{amount}"
    for target, repository in plan.creates:
        yield f"  create repository {repository} at {target}"
    for copy in plan.copies:
        if copy.landing.digest != copy.root.digest:
            digests = f"{short(copy.root.digest)} -> {short(copy.landing.digest)}"
            yield f"  cut down to {', '.join(map(str, copy.only))}: {copy.source.familiar}  {digests}"


def _change(outcome: Outcome, before: object) -> str:
    if outcome.status is Status.UPDATE:
        return f"  {short(before)} -> {short(outcome.digest)}"  # type: ignore[arg-type]
    if outcome.failure:
        return f"  {outcome.status.value}: {outcome.failure.code} {outcome.failure.message}"
    return f"  {short(outcome.digest)}"


def plan_verdict(plan: Plan, outcomes: Sequence[Outcome]) -> str:
    """The plan in one sentence."""
    count = Counter(outcome.status for outcome in outcomes)
    words = {
        Status.ADD: "to add",
        Status.UPDATE: "to update",
        Status.KEPT: "kept",
        Status.BLOCKED: "blocked",
        Status.FAILED: "failed",
        Status.UP_TO_DATE: "up to date",
    }
    parts = [f"{count[status]} {word}" for status, word in words.items() if count[status]] or ["nothing to do"]
    moved = sum(copy.size * len(copy.destinations) for copy in plan.copies)
    return f"Plan: {', '.join(parts)}." + (f" At most {size(moved)} to move." if moved else "")


def failures(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """What went wrong, grouped by cause, each with what to do next."""
    causes: defaultdict[tuple[str, str | None, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.failure:
            causes[outcome.failure.code, outcome.failure.host, outcome.failure.hint].append(outcome)
    for (code, host, hint), group in causes.items():
        yield f"{code} {group[0].status.value}{f' at {host}' if host else ''}: {plural(len(group), 'image')}"
        yield from _members(group)
        if hint:
            yield f"    next: {hint}"


def _members(group: Sequence[Outcome]) -> Iterator[str]:
    said: set[str] = set()
    for outcome in group[:LISTED]:
        yield f"  {outcome.source.familiar} -> {outcome.target}"
        message = _message(outcome.failure)
        if message not in said:
            yield f"    {message}"
            said.add(message)
    if len(group) > LISTED:
        yield f"  and {len(group) - LISTED} more"


def _message(failure: Failure | None) -> str:
    return failure.message if failure else ""


def report_lines(report: Report) -> Iterator[str]:
    """The end of a run: warnings, hosts at fault, failures."""
    for warning in report.warnings:
        yield f"warning: {warning}"
    for host in report.hosts:
        if host.blamed:
            yield f"at fault: {host.host}: {host.blamed}"
    yield from failures(report.outcomes)


def verdict(report: Report) -> str:
    """The run in one line, the last one printed."""
    count = Counter(outcome.status for outcome in report.outcomes)
    counts = ", ".join(f"{count[status]} {status.value.replace('_', ' ')}" for status in Status if count[status])
    parts = [counts or "no images"]
    if moved := sum(outcome.bytes_moved for outcome in report.outcomes):
        reused = sum(outcome.bytes_reused for outcome in report.outcomes)
        parts.append(f"{size(moved)} moved, {size(reused)} reused")
    if verified := sum(outcome.verified for outcome in report.outcomes):
        parts.append(f"{verified} of {len(report.outcomes)} verified")
    return f"{report.run.command}: {'; '.join(parts)}; {duration(report.run.seconds)}"


def document(report: Report) -> str:
    """The whole report: every image, then what the terminal shows."""
    lines = [*(line(outcome) for outcome in report.outcomes), "", *report_lines(report), verdict(report)]
    return "\n".join(lines) + "\n"
