"""`syncer plan`, `sync`, `apply`, `copy` and `verify`."""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import platformdirs

from syncer.app.on_demand import OnDemand
from syncer.app.parts import Outside
from syncer.app.session import Session, Task, session
from syncer.app.single import copy_settings
from syncer.cli import discretion
from syncer.cli.configured import configured, configured_or_none
from syncer.cli.ending import check_output, end, write
from syncer.cli.limits import ending_after
from syncer.cli.options import Options, common
from syncer.cli.progress.choice import chosen
from syncer.cli.signals import Threads, unless_stopped
from syncer.cli.telling import tellable, told
from syncer.errors import StalePlan
from syncer.formats import text
from syncer.selection.images import Choice
from syncer.state import spool
from syncer.state.directory import opened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from types import ModuleType

    from syncer.engine.stop import Stop
    from syncer.plan.model import Plan
    from syncer.report.events import Observer
    from syncer.report.model import Report
    from syncer.settings.rules import Settings
    from syncer.state.directory import Opened

    Deed = Callable[[Session, Stop, Observer], Awaitable[Report]]

_PLAN_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--out", type=_PLAN_FILE, metavar="FILE", help="Save the plan, for `syncer apply FILE`.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 5 when the plan would change something.")
@tellable
@common
def plan(options: Options, out: Path | None, *, detailed_exitcode: bool, **terms: bool) -> None:
    """Say what a sync would do, and move nothing."""
    check_output(out)
    made: list[Plan] = []

    async def deed(run: Session, stop: Stop, _observe: Observer) -> Report:
        made.append(await unless_stopped(stop, run.plan()))
        return run.preview(made[0])

    with options.signals.remembered():
        report = _run(options, _task(options, "plan"), told(configured(options), **terms), deed)
        shown = discretion.planned(made[0], options.redactor.known)
        if out is not None:
            write(out, _plan_format().dump(shown))
        body = text.plan_lines(shown, report.outcomes, every=options.verbose, saved=str(out) if out else None)
        end(options, report, detailed=detailed_exitcode, body=body)


@click.command()
@tellable
@common
def sync(options: Options, **terms: bool) -> None:
    """Bring every target up to date with its sources."""
    _move(options, "sync", told(configured(options), **terms), Session.plan, lock=options.config)


@click.command()
@click.argument("file", type=_PLAN_FILE)
@common
def apply(options: Options, file: Path) -> None:
    """Do exactly what the plan in FILE says; a source that has moved since fails, the others go on."""
    saved = _plan_format().load(_bytes(file))
    _move(options, "apply", configured(options), lambda run: run.rechecked(saved), lock=options.config)


@click.command()
@click.argument("source")
@click.argument("destination")
@common
def copy(options: Options, source: str, destination: str) -> None:
    """Mirror the image SOURCE to DESTINATION; a configuration is used where there is one, and not needed."""
    settings = copy_settings(source, destination, configured_or_none(options))
    _move(options, "copy", settings, Session.plan)


@click.command()
@click.option("--deep", is_flag=True, help="Read every blob's bytes, too.")
@common
def verify(options: Options, *, deep: bool) -> None:
    """Read the targets back and compare: root, children, every blob's presence and size."""

    async def deed(run: Session, stop: Stop, observe: Observer) -> Report:
        return await unless_stopped(stop, run.verify(deep=deep, observe=observe))

    with options.signals.remembered():
        end(options, _run(options, _task(options, "verify"), configured(options), deed))


def _move(
    options: Options,
    command: str,
    settings: Settings,
    planned: Callable[[Session], Coroutine[None, None, Plan]],
    lock: Path | None = None,
) -> None:
    """Carry out what `planned` makes, and report."""

    async def deed(run: Session, stop: Stop, observe: Observer) -> Report:
        plan = await unless_stopped(stop, planned(run))
        options.signals.touched = True
        directory = options.spool_dir or _state_dir(options) / "spool"
        with spool.opened(directory, Outside().clock, _spool_limit(options)) as found:
            report = await run.carry_out(plan, stop, observe, found.spool)
        said = found.warnings(asked=options.spool_dir is not None)
        return replace(report, warnings=(*report.warnings, *said))

    with options.signals.remembered():
        end(options, _run(options, _task(options, command), settings, deed, lock))


def _state_dir(options: Options) -> Path:
    return options.state_dir or Path(platformdirs.user_state_dir("syncer"))


def _spool_limit(options: Options) -> int | None:
    return None if options.spool_limit is None else options.spool_limit * spool.MIB


def _task(options: Options, command: str) -> Task:
    choice = Choice(options.only, options.skip, options.allow_empty)
    return Task(command, choice, options.jobs, options.retries, bandwidth=options.bwlimit)


def _run(options: Options, task: Task, settings: Settings, deed: Deed, lock: Path | None = None) -> Report:
    """The report of `deed`, done in a session that the options describe."""
    with opened(_state_dir(options), lock, Outside().clock) as state:
        report = asyncio.run(_in_session(options, task, settings, deed, state))
        return replace(report, warnings=(*state.warnings, *report.warnings))


async def _in_session(options: Options, task: Task, settings: Settings, deed: Deed, state: Opened) -> Report:
    asyncio.get_running_loop().set_default_executor(Threads())
    outside = Outside(docker=discretion.Discreet(OnDemand("docker"), options.redactor.hide))
    progress = chosen(options, outside.clock)
    with options.signals.draining(progress) as stop, ending_after(options.max_duration, stop, progress):
        async with session(settings, outside, task, state.state) as run, progress.running():
            return await deed(run, stop, discretion.observed(progress, options.redactor.known))


def _plan_format() -> ModuleType:
    """The module that reads and writes plan files: its models cost 15 ms that other commands need not pay."""
    return importlib.import_module("syncer.plan.schema")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StalePlan(f"{file} cannot be read: {error.strerror or error}") from error
