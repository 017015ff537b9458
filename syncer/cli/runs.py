"""`syncer plan`, `sync`, `apply`, `copy` and `verify`."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import platformdirs

from syncer.app.parts import Outside
from syncer.app.session import Session, Task, session
from syncer.app.single import copy_settings
from syncer.cli.ending import check_outputs, check_report, end, show, write, write_report
from syncer.cli.options import Options, common
from syncer.cli.progress.choice import chosen
from syncer.cli.signals import stopping, unless_stopped
from syncer.config.load import load
from syncer.errors import StalePlan
from syncer.formats import text
from syncer.formats.outlook import outlook
from syncer.plan import schema
from syncer.report.events import Noted
from syncer.report.exit_code import exit_code
from syncer.selection.images import Choice
from syncer.state.directory import opened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from syncer.engine.stop import Stop
    from syncer.plan.model import Plan
    from syncer.report.events import Observer
    from syncer.report.model import Report
    from syncer.settings.rules import Settings
    from syncer.state.directory import Opened

_PLAN_FILE = click.Path(path_type=Path, dir_okay=False)
if TYPE_CHECKING:
    _Deed = Callable[[Session, Stop, Observer], Awaitable[Report]]


@click.command()
@click.option("--out", type=_PLAN_FILE, metavar="FILE", help="Save the plan, for `syncer apply FILE`.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 5 when the plan would change something.")
@common
def plan(options: Options, out: Path | None, *, detailed_exitcode: bool) -> None:
    """Say what a sync would do, and move nothing."""
    check_outputs(out)
    made: list[Plan] = []

    async def deed(run: Session, stop: Stop, _observe: Observer) -> Report:
        made.append(await unless_stopped(stop, run.plan()))
        return run.report(outlook(made[0]), made[0].warnings)

    report = _run(options, "plan", load(options.config, os.environ), deed)
    if out is not None:
        write(out, schema.dump(made[0]))
    code = exit_code(report, detailed=detailed_exitcode)
    if options.output == "json":
        show(options, report, code)
    else:
        _show_plan(options, made[0], report, out)
    sys.exit(max(code, write_report(options, report)))


@click.command()
@common
def sync(options: Options) -> None:
    """Bring every target up to date with its sources."""

    async def deed(run: Session, stop: Stop, observe: Observer) -> Report:
        return await run.carry_out(await unless_stopped(stop, run.plan()), stop, observe)

    end(options, _run(options, "sync", load(options.config, os.environ), deed, lock=options.config))


@click.command()
@click.argument("file", type=_PLAN_FILE)
@common
def apply(options: Options, file: Path) -> None:
    """Do exactly what the plan in FILE says; a source that has moved since fails, the others go on."""
    saved = schema.load(_bytes(file))

    async def deed(run: Session, stop: Stop, observe: Observer) -> Report:
        return await run.carry_out(await unless_stopped(stop, run.rechecked(saved)), stop, observe)

    end(options, _run(options, "apply", load(options.config, os.environ), deed, lock=options.config))


@click.command()
@click.argument("source")
@click.argument("destination")
@common
def copy(options: Options, source: str, destination: str) -> None:
    """Mirror the image SOURCE to DESTINATION; a configuration is used where there is one, and not needed."""
    known = load(options.config, os.environ) if options.config.exists() else None
    settings = copy_settings(source, destination, known)

    async def deed(run: Session, stop: Stop, observe: Observer) -> Report:
        return await run.carry_out(await unless_stopped(stop, run.plan()), stop, observe)

    end(options, _run(options, "copy", settings, deed))


@click.command()
@click.option("--deep", is_flag=True, help="Read every blob's bytes, too.")
@common
def verify(options: Options, *, deep: bool) -> None:
    """Read the targets back and compare: root, children, every blob's presence and size."""

    async def deed(run: Session, stop: Stop, observe: Observer) -> Report:
        return await unless_stopped(stop, run.verify(deep=deep, observe=observe))

    end(options, _run(options, "verify", load(options.config, os.environ), deed))


def _run(options: Options, command: str, settings: Settings, deed: _Deed, lock: Path | None = None) -> Report:
    """Run `deed` in a session that the options describe."""
    check_report(options)
    choice = Choice(options.only, options.skip, options.allow_empty)
    task = Task(command, choice, options.jobs, options.retries)
    with _state(options, lock) as state:
        return asyncio.run(_in_session(options, settings, task, deed, state))


async def _in_session(options: Options, settings: Settings, task: Task, deed: _Deed, state: Opened) -> Report:
    outside = Outside()
    progress = chosen(options, outside.clock)
    with stopping(progress) as stop:
        async with session(settings, outside, task, state.state) as run, progress.running():
            for warning in state.warnings:
                progress(Noted(f"warning: {warning}"))
            return await deed(run, stop, progress)


@contextmanager
def _state(options: Options, lock: Path | None) -> Iterator[Opened]:
    directory = options.state_dir or Path(platformdirs.user_state_dir("syncer"))
    with opened(directory, lock, Outside().clock) as state:
        yield state


def _show_plan(options: Options, plan: Plan, report: Report, out: Path | None) -> None:
    for each in text.plan_lines(plan, report.outcomes, every=options.verbose):
        click.echo(each)
    for each in text.report_lines(report):
        click.echo(each)
    click.echo(text.plan_verdict(plan, report.outcomes))
    if plan.copies:
        click.echo(f"Next: syncer apply {out}" if out else "Next: syncer sync")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StalePlan(f"{file} cannot be read: {error.strerror or error}") from error
