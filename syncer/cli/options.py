"""The options that every command has."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import click

from syncer.cli import logs
from syncer.cli.ending import check_report
from syncer.cli.failing import explained
from syncer.cli.limits import parsed, seconds
from syncer.cli.redaction import Redactor
from syncer.cli.signals import Signals
from syncer.settings.bandwidth import Timetable

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Options:
    """The common options, parsed; defaults are those of the command line."""

    config: Path
    output: str
    progress: str
    verbose: bool
    quiet: bool
    log_format: str
    only: tuple[str, ...]
    skip: tuple[str, ...]
    jobs: int
    retries: int
    bwlimit: Timetable | None
    max_duration: float | None  # seconds
    report: Path | None
    state_dir: Path | None
    spool_dir: Path | None
    spool_limit: int | None
    allow_empty: bool
    redactor: Redactor = field(default_factory=Redactor, init=False)  # what logs must not show
    signals: Signals = field(default_factory=Signals, init=False)


_FILE = click.Path(path_type=Path, dir_okay=False)
_DIRECTORY = click.Path(path_type=Path, file_okay=False)

_OPTIONS = (
    click.option(
        "-c", "--config", type=_FILE, default="mirrors.yaml", envvar="SYNCER_CONFIG", show_default=True,
        help="The configuration file.",
    ),
    click.option(
        "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="What stdout gets.",
    ),
    click.option(
        "--progress", type=click.Choice(["auto", "live", "plain", "none"]), default="auto", show_default=True,
        help="What stderr shows while it runs; auto: live on a terminal, plain lines elsewhere.",
    ),
    click.option("-v", "--verbose", is_flag=True, help="Name unchanged images too, and what each host did."),
    click.option("-q", "--quiet", is_flag=True, help="Print failures and the verdict only."),
    click.option(
        "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="The form of lines on stderr.",
    ),
    click.option("--only", multiple=True, metavar="GLOB", help="Only images whose source or target matches."),
    click.option("--skip", multiple=True, metavar="GLOB", help="Not images whose source or target matches."),
    click.option(
        "-j", "--jobs", type=click.IntRange(1, 256), default=64, show_default=True, help="Images copied at a time."
    ),
    click.option(
        "--retries", type=click.IntRange(0, 100), default=5, show_default=True, help="Repetitions of a failed step."
    ),
    click.option(
        "--bwlimit", metavar="RATE|TIMETABLE", callback=parsed(Timetable.parse),
        help="Bytes of layers per second, in each direction: 10M, or '08:00,10M 23:00,off'.",
    ),
    click.option(
        "--max-duration", metavar="DURATION", callback=parsed(seconds),
        help="After so long (90m, 2h) begin nothing new; the rest is deferred, exit 6.",
    ),
    click.option("--report", type=_FILE, metavar="FILE", help="Write the report here too: .json or .txt."),
    click.option(
        "--state-dir", type=_DIRECTORY, envvar="SYNCER_STATE_DIR", help="Where state is kept from run to run."
    ),
    click.option(
        "--spool-dir", type=_DIRECTORY,
        help="Where blobs are kept that would take long to read again; default: `spool` in the state directory.",
    ),
    click.option(
        "--spool-limit", type=click.IntRange(0), metavar="MIB",
        help="MiB that may be kept there; default: 2048, or a tenth of what is free.",
    ),
    click.option("--allow-empty", is_flag=True, help="Exit 0, not 2, when nothing is selected."),
)  # fmt: skip


def common(command: Command) -> Command:
    """Give `command` the common options, gathered in its first argument."""

    @functools.wraps(command)
    def gathered(*args: Any, **given: Any) -> Any:
        options = Options(**{each.name: given.pop(each.name) for each in fields(Options) if each.init})
        with explained(options), options.signals.caught():
            logs.set_up(options)
            logs.catch_strays()
            check_report(options)
            return command(options, *args, **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered
