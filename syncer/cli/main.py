"""The command `syncer`: a group that imports a command only when it is run, so that --help answers at once."""

from __future__ import annotations

import gc
import importlib
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from syncer.cli import stopping, streams

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": (
        "syncer.cli.demo.command:demo",
        "mirror the images of a mirrors.yaml inside a sandbox: no network, no AWS",
    ),
    "check": ("syncer.cli.config:check", "validate mirrors.yaml, offline"),
    "plan": ("syncer.cli.runs:plan", "say what a sync would do, and move nothing"),
    "sync": ("syncer.cli.runs:sync", "bring every target up to date"),
    "apply": ("syncer.cli.runs:apply", "do exactly what a saved plan says"),
    "copy": ("syncer.cli.runs:copy", "mirror one image, without a file"),
    "verify": ("syncer.cli.runs:verify", "read the targets back and compare them with the sources"),
    "schema": ("syncer.cli.config:schema", "print the JSON Schema of mirrors.yaml"),
    "explain": ("syncer.cli.about:explain", "tell more about an error or exit code"),
    "version": ("syncer.cli.about:version", "print the version"),
}


class Lazily(click.Group):
    """A group whose commands live elsewhere."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the program, with signals and streams that lose nothing."""
        for number in stopping.heeded():
            signal.signal(number, _stopped)
        streams.install()
        return super().main(*args, **extra)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The commands, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import the command `name`."""
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name][0].split(":")
        command: click.Command = getattr(_imported(module), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def _imported(name: str) -> ModuleType:
    """The module `name`. What is imported stays, so looking through it for garbage would be 80 ms for nothing."""
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.enable()
        gc.freeze()


def _stopped(number: int, _frame: object) -> None:
    """Until a command has said what a signal means to it."""
    sys.stderr.write(f"{signal.Signals(number).name}: stopped before anything was touched\n")
    sys.exit(stopping.exit_code(number))


@click.group(cls=Lazily, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ecr-syncer", prog_name="syncer", message="%(prog)s %(version)s")
def main() -> None:
    """Mirror container images into Amazon ECR.

    What a tag means comes from the origin, the bytes from the mirrors; every digest is verified.
    Begin with `syncer demo`, then edit mirrors.yaml and run `syncer plan`.
    """
