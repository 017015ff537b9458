"""The scenes of the demo: each is a real run of the program in the world that the file names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.cli.demo import stage
from syncer.cli.demo.theatre import Theatre
from syncer.formats.text import report_lines, verdict
from syncer.formats.units import duration, plural, short, size
from syncer.report.exit_code import exit_code
from syncer.report.model import Status
from syncer.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.cli.options import Options
    from syncer.oci.reference import Reference
    from syncer.oci.said import Said
    from syncer.report.model import Outcome, Report
    from syncer.settings.rules import Rule, Settings

WRITES = "PUT|POST|PATCH"
SAMPLES = 3  # images shown of a scene that moved many


async def play(settings: Settings, options: Options) -> int:
    """Play all scenes; the exit code is 0 only if each of them went as it says."""
    async with World() as world:
        await stage.build(settings, world)
        theatre = Theatre(settings, world, options)
        theatre.say(*_prologue(theatre))
        passed = [await scene(theatre) for scene in (_first_run, _second_run, _liar, _unreachable, _read_back)]
        took = duration(theatre.clock.monotonic() - theatre.began)
        code = 0 if all(passed) else 1
        came = "All of it" if all(passed) else "Not all of it went well,"
        theatre.say("", f"{came} in {took}, on loopback. Next: edit mirrors.yaml, then syncer check, plan, sync.")
        theatre.close(code)
    return code


def _prologue(theatre: Theatre) -> Iterator[str]:
    settings = theatre.settings
    images = sum(len(stage.references(rule)) for rule in settings.rules)
    yield f"{settings.path}: {plural(len(settings.rules), 'rule')}, {plural(images, 'image')}, mirrored to"
    yield from (f"  {target.name}  {target.registry}" for target in settings.targets.values())
    servers = plural(len(theatre.world.servers), "server")
    yield f"{servers} on loopback play the registries, the mirrors and ECR. Nothing leaves this machine."


async def _first_run(theatre: Theatre) -> bool:
    theatre.title("The first run: tags from the origin, bytes from the mirrors, every digest verified")
    report = await theatre.sync()
    theatre.say(*_some(report.outcomes), *_summary(report), *_carriers(report))
    return _all(report, Status.COPIED) and all(outcome.verified for outcome in report.outcomes)


async def _second_run(theatre: Theatre) -> bool:
    theatre.title("The second run moves nothing")
    before = theatre.world.log.count(method=WRITES, path="^/v2/")
    report = await theatre.sync()
    writes = theatre.world.log.count(method=WRITES, path="^/v2/") - before
    theatre.say(*_summary(report), f"  {plural(writes, 'PUT, POST or PATCH request')} to any registry")
    return _all(report, Status.UP_TO_DATE) and writes == 0


async def _liar(theatre: Theatre) -> bool:
    """A mirror that sends wrong bytes is named, and the right ones arrive all the same."""
    moved = theatre.hub_images(0)
    if not moved or not theatre.mirrors:
        theatre.title("A lying mirror: this file has no mirrors of Docker Hub, so there is none to catch")
        return True
    host = theatre.mirrors[0].endpoint.name
    theatre.title(f"{_named(moved)} moves at Docker Hub, and {host} sends wrong bytes")
    mirror = theatre.world.mirrors[str(theatre.mirrors[0].endpoint.origin)]
    mirror.misbehave("wrong bytes")
    theatre.move(moved, " again")
    report = await theatre.sync()
    mirror.server.faults.clear()
    theatre.say(*_some(report.outcomes), *_summary(report))
    blamed = [line.host for line in report.hosts if line.blamed]
    return blamed == [host] and not _failed(report)


async def _unreachable(theatre: Theatre) -> bool:
    """With the origin out of reach, mirrors that agree carry a tag, and confirmed ones are kept."""
    moved = theatre.hub_images(1)
    if not moved:
        theatre.title("An unreachable origin: this file mirrors nothing from Docker Hub")
        return True
    theatre.title(f"{_named(moved)} moves, and then Docker Hub does not answer")
    theatre.move(moved, " and again")
    await theatre.world.hub.refuse()
    report = await theatre.sync(retries=0)  # nobody should have to watch how long syncer would try
    await theatre.world.hub.resume()
    theatre.say(*_some(report.outcomes), *_resolvers(report), *_summary(report, kept=False))
    return not _failed(report)


async def _read_back(theatre: Theatre) -> bool:
    theatre.title("verify --deep reads back every byte at every target")
    await theatre.sync()  # what could only be kept a moment ago
    report = await theatre.verify()
    theatre.say(*_summary(report))
    return _all(report, Status.OK)


def _named(moved: tuple[Rule, Reference]) -> str:
    return moved[1].familiar


def _all(report: Report, status: Status) -> bool:
    return bool(report.outcomes) and all(outcome.status is status for outcome in report.outcomes)


def _failed(report: Report) -> bool:
    return any(outcome.status in {Status.FAILED, Status.BLOCKED, Status.DEFERRED} for outcome in report.outcomes)


def _some(outcomes: tuple[Outcome, ...]) -> Iterator[str]:
    copied = [outcome for outcome in outcomes if outcome.status is Status.COPIED]
    for outcome in copied[:SAMPLES]:
        via = f" via {', '.join(outcome.via)}" if outcome.via else ""
        yield f"  {outcome.source.familiar} -> {outcome.target}  {short(outcome.digest)}{via}"
    if len(copied) > SAMPLES:
        yield f"  and {len(copied) - SAMPLES} more"


def _summary(report: Report, *, kept: bool = True) -> Iterator[str]:
    """What `syncer` itself prints at the end of a run; without `kept` it says nothing of tags that were kept."""
    outcomes = [outcome for outcome in report.outcomes if kept or outcome.status is not Status.KEPT]
    yield from (f"  {each}" for each in report_lines(replace(report, outcomes=tuple(outcomes))))
    yield f"  {verdict(report, exit_code(report))}"


def _carriers(report: Report) -> Iterator[str]:
    via = {host for outcome in report.outcomes for host in outcome.via}
    lines = sorted((line for line in report.hosts if line.host in via), key=lambda line: -line.received)
    if lines:
        yield "  bytes came from " + ", ".join(f"{line.host} {size(line.received)}" for line in lines)


def _resolvers(report: Report) -> Iterator[str]:
    """Who said what the tags mean, with one example of what each host answered."""
    known = [outcome for outcome in report.outcomes if outcome.resolved_by]
    for way in dict.fromkeys(outcome.resolved_by for outcome in known):
        group = [outcome for outcome in known if outcome.resolved_by == way]
        failure = group[0].failure
        if way == Status.KEPT.value and failure:
            yield f"  {plural(len(group), 'tag')} kept as confirmed a moment ago; why, for {group[0].source.familiar}:"
            yield f"    {failure.message}"
        else:
            yield f"  {plural(len(group), 'tag')} by {way}; {group[0].source.familiar} for one:"
            yield from (f"    {_answer(said)}" for said in group[0].said)


def _answer(said: Said) -> str:
    if said.failure is not None:
        return said.failure.message
    return f"{said.host}: {short(said.digest)}"
