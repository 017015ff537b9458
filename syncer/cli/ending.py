"""How a run ends: the report on stdout and in files, and the exit code."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from syncer.app import kinds
from syncer.cli.failing import text_of
from syncer.errors import OutputUnwritable, Usage
from syncer.formats import json as json_format
from syncer.formats import text
from syncer.report.exit_code import FAILED, exit_code

if TYPE_CHECKING:
    from syncer.cli.options import Options
    from syncer.report.model import Report


def check_outputs(*files: Path | None) -> None:
    """Refuse output files that could not be written, before any work is done."""
    for file in files:
        if file is not None and not os.access(file.parent, os.W_OK):
            raise OutputUnwritable(f"{file} cannot be written: no writable directory {file.parent}")


def check_report(options: Options) -> None:
    """Refuse a --report whose kind or place is wrong, before any work is done."""
    if options.report is not None and options.report.suffix not in kinds.FORMATS:
        known = ", ".join(kinds.FORMATS)
        raise Usage(f"--report {options.report}: the suffix says the kind of report, one of {known}")
    check_outputs(options.report)


def end(options: Options, report: Report) -> NoReturn:
    """Print and write `report`, and exit with what it came to."""
    code = exit_code(report)
    show(options, report, code)
    sys.exit(max(code, write_report(options, report)))


def show(options: Options, report: Report, code: int) -> None:
    """The report on stdout; the most important thing is the last line."""
    if options.output == "json":
        click.echo(json_format.document(report, code), nl=False)
        return
    for each in text.report_lines(report):
        click.echo(each)
    click.echo(text.verdict(report) + (f"; exit {code}" if code else ""))


def write_report(options: Options, report: Report) -> int:
    """Write --report, if it was asked for; the exit code that a failure to do so is worth."""
    if options.report is None:
        return 0
    try:
        write(options.report, kinds.load(kinds.FORMATS[options.report.suffix])(report))
    except OutputUnwritable as error:
        click.echo(text_of(error), err=True)
        return FAILED
    return 0


def write(path: Path, content: str) -> None:
    """Write a file whole or not at all; raises OutputUnwritable."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise OutputUnwritable(f"{path} cannot be written: {error.strerror or error}") from error
