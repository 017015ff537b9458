"""What stderr gets besides progress: errors and log records, as lines for people or as JSON objects."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from syncer.cli.redaction import secrets_in
from syncer.oci.shown import harmless

if TYPE_CHECKING:
    from types import TracebackType

    from syncer.cli.options import Options
    from syncer.cli.redaction import Redactor

_LOGGER = logging.getLogger("syncer")
LIBRARIES = ("aiohttp", "asyncio", "boto3", "botocore", "docker", "s3transfer", "urllib3")
"""Those whose INFO is of use to their authors only."""


def set_up(options: Options) -> None:
    """Send every log record to stderr, without secrets: warnings and worse, with -v also what syncer tells."""
    options.redactor.hide(secrets_in(os.environ))
    root = logging.getLogger()
    root.handlers[:] = [_Stderr(options.redactor, as_json=options.log_format == "json")]
    root.setLevel(logging.INFO if options.verbose else logging.WARNING)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def catch_strays() -> None:
    """Make records of the exceptions that nobody catches: of threads, of finalizers, of the program itself."""
    sys.excepthook, threading.excepthook, sys.unraisablehook = _strays, _of_a_thread, _ignored


def tell(options: Options, kind: str, text: str) -> None:
    """One message on stderr, in the form of --log-format, without the secrets that are known."""
    text = options.redactor.known(text)
    _write(json_line(kind, text, datetime.now(UTC)) if options.log_format == "json" else harmless(text))


def json_line(kind: str, text: str, now: datetime) -> str:
    """A message as a JSON object, in ASCII."""
    return json.dumps({"time": now.isoformat(), "kind": kind, "message": text})


def _write(line: str) -> None:
    sys.stderr.write(f"{line}\n")  # looked up now: a live region puts itself in its place
    sys.stderr.flush()


class _Stderr(logging.Handler):
    """Writes records, tracebacks included."""

    def __init__(self, redactor: Redactor, *, as_json: bool) -> None:
        super().__init__()
        self._redactor = redactor
        self._as_json = as_json
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        text = self._redactor(self._formatted(record))
        at = datetime.fromtimestamp(record.created, UTC)
        _write(json_line(record.levelname.lower(), text, at) if self._as_json else harmless(text))

    def _formatted(self, record: logging.LogRecord) -> str:
        """The text of `record`; logging's own way to tell of one that cannot be formatted shows its arguments."""
        try:
            return self.format(record)
        except Exception as error:  # noqa: BLE001 - a record that cannot be formatted must not end a run
            return f"{record.levelname} {record.name}: a record that cannot be formatted: {type(error).__name__}"


def _strays(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """An exception that nobody caught, in the main thread, as a record: Python itself would print it as it is."""
    if error is not None:
        _LOGGER.critical("an exception that nobody caught", exc_info=(kind, error, trace))


def _of_a_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit:
        _strays(args.exc_type, args.exc_value, args.exc_traceback)


def _ignored(args: sys.UnraisableHookArgs) -> None:
    """The same of a finalizer."""
    _strays(args.exc_type, args.exc_value, args.exc_traceback)
