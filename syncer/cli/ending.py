"""How a run ends: the report in files and on stdout, and the exit code."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import click

from syncer.app import kinds
from syncer.cli import discretion
from syncer.cli.failing import text_of
from syncer.cli.logs import tell
from syncer.errors import OutputUnwritable, Usage
from syncer.formats import json as json_format
from syncer.formats import text
from syncer.report.exit_code import DIFFERENCES, DONE, FAILED, STOPPED_EARLY, exit_code

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from syncer.cli.options import Options
    from syncer.report.model import Report

_MILDER = (DONE, DIFFERENCES, STOPPED_EARLY)  # than FAILED


def check_report(options: Options) -> None:
    """Refuse a --report whose kind or place is wrong, before any work is done."""
    if options.report is not None and options.report.suffix not in kinds.FORMATS:
        known = ", ".join(kinds.FORMATS)
        raise Usage(f"--report {options.report}: the suffix says the kind of report, one of {known}")
    check_output(options.report)


def check_output(file: Path | None) -> None:
    """Refuse an output file that could not be written, before any work is done."""
    if file is not None and not _special(file):
        draft = _draft(file.resolve())
        try:
            draft.touch()
            draft.unlink()
        except OSError as error:
            raise _unwritable(file, error) from error


def end(options: Options, report: Report, *, detailed: bool = False, body: Iterable[str] = ()) -> NoReturn:
    """Write and print `report`, `body` being what stands above it, and exit with what it came to."""
    if options.signals.exit_code is not None:  # even if it came when the work was done
        report = replace(report, interrupted=options.signals.exit_code)
    report = discretion.reported(report, options.redactor.known)
    code = exit_code(report, detailed=detailed)
    code = _write_report(options, report, code)
    try:
        _print(options, report, code, body)
    except OutputUnwritable as error:
        code = _worse(options, code, error)
    options.signals.leave(code)


def _print(options: Options, report: Report, code: int, body: Iterable[str]) -> None:
    if options.output == "json":
        click.echo(json_format.document(report, code), nl=False)
        return
    for line in _lines(options, report, code, body):
        click.echo(line)


def _lines(options: Options, report: Report, code: int, body: Iterable[str]) -> Iterable[str]:
    """The most important thing is the last line."""
    if not options.quiet:
        yield from body
    yield from text.report_lines(report, hosts=options.verbose)
    yield text.verdict(report, code)


def _write_report(options: Options, report: Report, code: int) -> int:
    """Write --report, if it was asked for; the exit code, which is worse if that fails."""
    if options.report is None:
        return code
    try:
        write(options.report, kinds.load(kinds.FORMATS[options.report.suffix])(report, code))
    except OutputUnwritable as error:
        return _worse(options, code, error)
    return code


def _worse(options: Options, code: int, error: OutputUnwritable) -> int:
    """The exit code of a run whose work is done and whose report is lost."""
    tell(options, "error", text_of(error))
    return FAILED if code in _MILDER else code


def write(path: Path, content: str) -> None:
    """Write a file whole or not at all; raises OutputUnwritable."""
    try:
        if _special(path):
            path.write_text(content, encoding="utf-8")
        else:
            _replace(path.resolve(), content)
    except OSError as error:
        raise _unwritable(path, error) from error


def _replace(path: Path, content: str) -> None:
    draft = _draft(path)
    try:
        draft.unlink(missing_ok=True)  # what is there was planted, or left by a process of the same number
        with draft.open("x", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:  # a signal, too
        draft.unlink(missing_ok=True)
        raise


def _special(path: Path) -> bool:
    """Whether it is a device or a pipe (/dev/null, a shell's `>(...)`): that is written to, never replaced."""
    return path.exists() and not path.is_file()


def _draft(path: Path) -> Path:
    """Beside the file, so that it can take its place in one step."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def _unwritable(path: Path, error: OSError) -> OutputUnwritable:
    return OutputUnwritable(f"{path} cannot be written: {error.strerror or error}")
