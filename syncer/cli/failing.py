"""What a run that ends before its report prints, and its exit code."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from syncer.cli.logs import tell
from syncer.cli.signals import Stopped
from syncer.errors import (
    BeforeWork,
    Bug,
    ConfigError,
    CredentialError,
    IntegrityError,
    Interrupted,
    OutputUnwritable,
    SyncerError,
    TimeIsUp,
    leaves,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.cli.options import Options

FAILED, CREDENTIALS, INTEGRITY, STOPPED_EARLY, BUG = 1, 3, 4, 6, 70


@contextmanager
def explained(options: Options) -> Iterator[None]:
    """Turn errors that leave the block into a message with a next step, and an exit code.

    A SyncerError ends with the code of its family; what is none is a bug: 70, with its traceback.
    """
    try:
        yield
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stdout = None  # or the interpreter complains once more at exit
        sys.exit(FAILED)
    except Stopped as stopped:
        options.signals.leave(_stopped(stopped, options))
    except Exception as error:  # noqa: BLE001 - the one border above everything
        sys.exit(_told(error, options))


def exit_code(error: SyncerError) -> int:
    """The exit code of a run that ends with `error`."""
    match error:
        case Bug():
            return BUG
        case BeforeWork():
            return error.exit_code
        case IntegrityError():
            return INTEGRITY
        case CredentialError():
            return CREDENTIALS
        case TimeIsUp():
            return STOPPED_EARLY
        case _:
            return FAILED


def text_of(error: SyncerError) -> str:
    """`error` for a person: code, sentence, next step."""
    if isinstance(error, ConfigError):
        from syncer.config.render import render  # noqa: PLC0415 - most runs never need it

        return render(error)
    return f"error[{error.code}]: {error.message}" + (f"\n  next: {error.hint}" if error.hint else "")


def document(error: SyncerError, code: int) -> dict[str, Any]:
    """`error` as the one JSON document of a run that did nothing."""
    told: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint, "host": error.host}
    if isinstance(error, ConfigError):
        told["problems"] = [
            {"code": each.code, "message": each.message, "line": each.line, "column": each.column}
            for each in error.problems
        ]
    return {"schema_version": 1, "exit_code": code, "error": told}


def _told(error: Exception, options: Options) -> int:
    known = [leaf for leaf in leaves(error) if isinstance(leaf, SyncerError)]
    if not known or len(known) < len(list(leaves(error))):
        logging.getLogger("syncer").critical("this should not have happened", exc_info=error)
        what = options.redactor(f"{type(error).__name__}: {error}")
        known = [Bug(f"syncer met something that it did not expect: {what}")]
    code = max(map(exit_code, known))
    for each in known:
        tell(options, "error", text_of(each))
    _document(known[0], code, options)
    return code


def _stopped(stopped: Stopped, options: Options) -> int:
    what = "the report was complete" if options.signals.touched else "anything was touched"
    error = Interrupted(f"{stopped.name}: stopped before {what}", hint="run the same command again")
    tell(options, "error", text_of(error))
    _document(error, stopped.exit_code, options)
    return stopped.exit_code


def _document(error: SyncerError, code: int, options: Options) -> None:
    if options.output != "json":
        return
    try:
        click.echo(json.dumps(document(error, code), indent=2))
    except OutputUnwritable as lost:
        tell(options, "error", text_of(lost))
