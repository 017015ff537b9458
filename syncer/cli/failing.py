"""What a run that ends before its report prints, and its exit code."""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from syncer.errors import BeforeWork, Bug, ConfigError, CredentialError, IntegrityError, SyncerError, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.cli.options import Options

BUG = 70


@contextmanager
def explained(options: Options) -> Iterator[None]:
    """Turn errors that leave the block into a message with a next step, and an exit code.

    A SyncerError ends with the code of its family; what is none is a bug: 70, with its traceback.
    """
    try:
        yield
    except SystemExit:
        raise
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stdout = None  # or the interpreter complains once more at exit
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the one border above everything
        sys.exit(_told(error, options))


def _told(error: Exception, options: Options) -> int:
    known = [leaf for leaf in leaves(error) if isinstance(leaf, SyncerError)]
    if not known or len(known) < len(list(leaves(error))):
        return _bug(error, options)
    for each in known:
        click.echo(text_of(each), err=True)
    if options.output == "json":
        click.echo(json.dumps(document(known[0]), indent=2))
    return max((exit_code(each) for each in known), default=BUG)


def _bug(error: Exception, options: Options) -> int:
    traceback.print_exception(error)
    bug = Bug(f"syncer met something that it did not expect: {type(error).__name__}: {error}")
    click.echo(text_of(bug), err=True)
    if options.output == "json":
        click.echo(json.dumps(document(bug), indent=2))
    return BUG


def exit_code(error: SyncerError) -> int:
    """The exit code of a run that ends with `error`."""
    match error:
        case BeforeWork():
            return error.exit_code
        case IntegrityError():
            return 4
        case CredentialError():
            return 3
        case _:
            return 1


def text_of(error: SyncerError) -> str:
    """`error` for a person: code, sentence, next step."""
    if isinstance(error, ConfigError):
        from syncer.config.render import render  # noqa: PLC0415 - most runs never need it

        return render(error)
    return f"error[{error.code}]: {error.message}" + (f"\n  next: {error.hint}" if error.hint else "")


def document(error: SyncerError) -> dict[str, Any]:
    """`error` as the one JSON document of a run that did nothing."""
    told: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint, "host": error.host}
    if isinstance(error, ConfigError):
        told["problems"] = [
            {"code": each.code, "message": each.message, "line": each.line, "column": each.column}
            for each in error.problems
        ]
    return {"schema_version": 1, "exit_code": exit_code(error), "error": told}
