"""stdout and stderr as commands use them: the one is data, and not to be lost; the other is talk, and ends nothing."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


def install() -> None:
    """Put streams in the place of stdout and stderr that write all that they are given.

    What the terminal's encoding does not have is written out. Under PYTHONUNBUFFERED Python forgets the rest of what a
    full pipe takes only a part of, if a signal comes meanwhile; a buffer in between does not.
    """
    sys.stdout, sys.stderr = _made(sys.stdout, _Data), _made(sys.stderr, _Talk)


class _Data(io.TextIOWrapper):
    """Raises OutputUnwritable where there is no room; that the reader has gone stays a BrokenPipeError."""

    def write(self, text: str) -> int:
        """Write, and flush at the end of a line."""
        try:
            return super().write(text)
        except OSError as error:
            raise self._lost(error) from error

    def flush(self) -> None:
        """Write what is left."""
        try:
            super().flush()
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, error: OSError) -> Exception:
        if isinstance(error, BrokenPipeError):
            return error
        from syncer.errors import OutputUnwritable  # noqa: PLC0415 - `syncer --help` need not wait for it

        _hush(self)
        return OutputUnwritable(f"stdout cannot be written: {error.strerror or error}", hint="see that it has room")


class _Talk(io.TextIOWrapper):
    """Falls silent when nobody hears it any more (a full disk, a pipe or terminal that is gone): the run goes on."""

    def write(self, text: str) -> int:
        """Write, and flush at the end of a line."""
        try:
            return super().write(text)
        except OSError:
            _hush(self)
            return len(text)

    def flush(self) -> None:
        """Write what is left."""
        try:
            super().flush()
        except OSError:
            _hush(self)


def _made(stream: TextIO | None, kind: type[io.TextIOWrapper]) -> TextIO:
    if stream is None:  # closed by whoever started us
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - it lives as long as the process
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    if isinstance(stream.buffer, io.FileIO):
        return kind(io.BufferedWriter(stream.buffer), stream.encoding, "backslashreplace", line_buffering=True)
    if isinstance(stream.buffer, io.BufferedWriter):
        return kind(stream.buffer, stream.encoding, "backslashreplace", line_buffering=stream.line_buffering)
    stream.reconfigure(errors="backslashreplace")
    return stream


def _hush(stream: TextIO) -> None:
    """Let whatever is written there from now on, and what is left of before, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
