"""Reports and plans as text: the verdict last, failures just above it, grouped by cause, each with its next step."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from syncer.formats.units import duration, plural, short, size
from syncer.oci.shown import harmless
from syncer.report.model import Status
from syncer.settings.registries import API_HOSTS, DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from syncer.errors import Failure
    from syncer.plan.model import Plan
    from syncer.report.model import HostLine, Outcome, Pulls, Report

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
WORDS = {Status.ADD: "to add", Status.UPDATE: "to update"}
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_UNLIKE = "the target has {there}, the source means {here}"
_SYNC = "syncer sync"
_READING = ("plan", "verify")  # whose verdict says without a further word what was verified


def line(outcome: Outcome) -> str:
    """One image at one target, in one line that can be searched."""
    parts = [f"{word(outcome.status):<10} {outcome.source.familiar} -> {outcome.target}"]
    if outcome.digest and not outcome.failure:
        parts.append(short(outcome.digest))
    if outcome.status is Status.COPIED:
        parts += [size(outcome.bytes_moved), f"reused={size(outcome.bytes_reused)}", duration(outcome.seconds)]
        parts += [f"via={','.join(outcome.via)}"] if outcome.via else []
    if outcome.failure:
        parts.append(f"{outcome.failure.code} {_message(outcome.failure)}")
    return harmless("  ".join(parts))


def word(status: Status) -> str:
    """A status as people read it."""
    return WORDS.get(status) or status.value.replace("_", " ")


# plans


def plan_lines(plan: Plan, outcomes: Sequence[Outcome], *, every: bool, saved: str | None = None) -> Iterator[str]:
    """What a sync would do: one line per image and target that changes, with `every` the others too.

    What cannot be planned is not repeated here: the report has it, with its reason. `saved` is the plan's own file.
    """
    sizes = {copy.source: copy.size for copy in plan.copies}
    before = {to.reference: to.before for copy in plan.copies for to in copy.destinations}
    for outcome in outcomes:
        if every or not (outcome.failure or outcome.status in QUIET_STATUSES):
            was = f"{short(before[outcome.target])} -> " if outcome.status is Status.UPDATE else ""
            amount = f"  {size(sizes[outcome.source])}" if outcome.status in WORDS else ""
            names = f"{outcome.source.familiar} -> {outcome.target}"
            yield f"  {SIGNS[outcome.status]} {names}  {was}{short(outcome.digest)}{amount}"
    for target, repository in plan.creates:
        yield f"  create repository {repository} at {target}"
    for copy in plan.copies:
        if copy.landing.digest != copy.root.digest:
            digests = f"{short(copy.root.digest)} -> {short(copy.landing.digest)}"
            yield f"  cut down to {', '.join(map(str, copy.only))}: {copy.source.familiar}  {digests}"
    if plan.copies:
        most = sum(copy.size * len(copy.destinations) for copy in plan.copies)
        yield f"At most {size(most)} to move. Next: {f'syncer apply {saved}' if saved else _SYNC}"


# reports


def report_lines(report: Report, *, hosts: bool = False) -> Iterator[str]:
    """The end of a run: warnings, hosts at fault, failures; with `hosts` also what each host did."""
    if hosts:
        yield from (_traffic(host) for host in report.hosts)
    yield from (_budget(host.host, host.pulls, report.run.command) for host in report.hosts if host.pulls)
    for warning in report.warnings:
        yield harmless(f"warning: {warning}")
    for host in report.hosts:
        if host.blamed:
            yield harmless(f"at fault: {_after_name(host.host, _cut(host.blamed))}")
    yield from failures(report.outcomes)
    yield from _unlike(report.outcomes)


def failures(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """What went wrong, grouped by cause, each with what to do next."""
    causes: defaultdict[tuple[Status, str, str | None], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if failure := outcome.failure:
            causes[outcome.status, failure.code, failure.host].append(outcome)
    for (status, code, host), group in causes.items():
        yield f"{plural(len(group), 'image')} {word(status)}: {code}{f' at {host}' if host else ''}"
        yield from _members(group)
        yield from _next(group)


def verdict(report: Report, code: int) -> str:
    """The run in one line, the last one printed."""
    count = Counter(outcome.status for outcome in report.outcomes)
    counts = ", ".join(f"{count[status]} {word(status)}" for status in Status if count[status])
    parts = [counts or "no images", *_amounts(report), duration(report.run.seconds), f"exit {code}"]
    return f"{report.run.command}: {'; '.join(parts)}"


def document(report: Report, code: int) -> str:
    """The whole report: every image, then what the terminal shows."""
    lines = [*(line(each) for each in report.outcomes), "", *report_lines(report, hosts=True), verdict(report, code)]
    return "\n".join(lines) + "\n"


def _members(group: Sequence[Outcome]) -> Iterator[str]:
    """The images of one cause; what several of them were told is said once."""
    told: set[str] = set()
    for outcome in group[:LISTED]:
        yield f"  {outcome.source.familiar} -> {outcome.target}"
        message = _message(outcome.failure)
        if message not in told:
            yield harmless(f"    {message}")
            told.add(message)
    if len(group) > LISTED:
        yield f"  and {len(group) - LISTED} more"


def _next(group: Sequence[Outcome]) -> Iterator[str]:
    """What to do; where that is another thing for each image, for the first of them."""
    hints = list(dict.fromkeys(each.failure.hint for each in group if each.failure and each.failure.hint))
    if hints:
        whom = f" for {group[0].source.familiar}" if len(hints) > 1 else ""
        yield harmless(f"    next{whom}: {hints[0]}")


def _budget(host: str, pulls: Pulls, command: str) -> str:
    """What is left of a pull budget. A sync reads the manifests that planning has read."""
    name = "Docker Hub" if host == API_HOSTS[DOCKER_HUB] else host
    limit = f" of {pulls.limit}" if pulls.limit is not None else ""
    window = f" (window {duration(pulls.window)})" if pulls.window is not None else ""
    need = "this plan needs" if command == "plan" else "this run took"
    return harmless(f"{name}: {plural(pulls.left, 'pull')}{limit} left{window}, {need} {pulls.used}")


def _message(failure: Failure | None) -> str:
    return _cut(failure.message) if failure else ""


def _unlike(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Tags that `verify` found to mean something else than their source."""
    found = [outcome for outcome in outcomes if outcome.status is Status.DIFFERS]
    if found:
        yield f"{plural(len(found), 'image')} {word(Status.DIFFERS)} from the source"
    for outcome in found[:LISTED]:
        yield f"  {outcome.source.familiar} -> {outcome.target}"
        yield "    " + _UNLIKE.format(there=short(outcome.digest), here=short(outcome.source_digest))
    if len(found) > LISTED:
        yield f"  and {len(found) - LISTED} more"
    if found:
        yield f"    next: {_SYNC}"


def _amounts(report: Report) -> Iterator[str]:
    outcomes = report.outcomes
    moved, reused = (sum(getattr(each, name) for each in outcomes) for name in ("bytes_moved", "bytes_reused"))
    if moved or reused:
        yield f"{size(moved)} moved, {size(reused)} reused"
    verified = sum(outcome.verified for outcome in outcomes)
    if verified and report.run.command not in _READING:
        yield f"{verified} of {len(outcomes)} verified"


def _traffic(host: HostLine) -> str:
    return f"host {host.host}: {plural(host.requests, 'request')}, {size(host.received)} received"


def _cut(text: str) -> str:
    """`text` with short digests, as everywhere on screens."""
    return _DIGEST.sub(r"\1", text)


def _after_name(host: str, reason: str) -> str:
    """`reason` with the host in front, unless it begins with it."""
    return reason if reason.startswith(f"{host} ") else f"{host}: {reason}"
