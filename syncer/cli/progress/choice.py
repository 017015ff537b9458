"""Which display of progress fits the place where stderr goes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from syncer.cli.progress.plain import Plain
from syncer.cli.progress.silent import Silent

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from syncer.cli.options import Options
    from syncer.clock import Clock
    from syncer.report.events import Event


class Progress(Protocol):
    """An Observer that also draws while a block runs."""

    def __call__(self, event: Event, /) -> None:
        """Take notice of `event`."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Draw while the block runs."""


def chosen(options: Options, clock: Clock) -> Progress:
    """The display that --progress, -q and the terminal ask for."""
    kind = options.progress
    if kind == "auto":
        kind = "none" if options.quiet else "live" if sys.stderr.isatty() else "plain"
    if kind == "none":
        return Silent()
    if kind == "plain" or options.log_format == "json":
        return Plain(sys.stderr, clock, every=options.verbose, as_json=options.log_format == "json")
    from rich.console import Console  # noqa: PLC0415 - rich costs 0.1 s that cron jobs need not pay

    from syncer.cli.progress.live import Live  # noqa: PLC0415 - the same

    return Live(Console(stderr=True), clock)
