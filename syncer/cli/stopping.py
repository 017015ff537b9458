"""The signals that end a run, and the exit code of each."""

from __future__ import annotations

import signal

_BASE = 128  # shells report a signal as 128 and its number


def heeded() -> list[signal.Signals]:
    """Those that whoever started us left to us: nohup has us ignore SIGHUP, a script's `&` SIGINT."""
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [number for number in ending if signal.getsignal(number) is not signal.SIG_IGN]


def exit_code(number: int) -> int:
    """130 or 143: a terminal that is gone (SIGHUP) asks for what SIGTERM asks for."""
    return _BASE + (signal.SIGTERM if number == signal.SIGHUP else number)


def name(code: int) -> str:
    """Of the signal with that exit code, such as SIGTERM."""
    return signal.Signals(code - _BASE).name
