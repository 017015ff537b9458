"""`syncer version` and `syncer explain`."""

from __future__ import annotations

import json
import platform
import re
from importlib import metadata, resources

import click

import syncer
from syncer.cli.options import Options, common
from syncer.errors import Usage

LIBRARIES = ("aiohttp", "boto3", "docker", "pydantic", "PyYAML")


@click.command()
@common
def version(options: Options) -> None:
    """Print the version; with -o json also those of Python and the libraries."""
    if options.output == "text":
        click.echo(f"syncer {syncer.__version__}")
        return
    libraries = {name: metadata.version(name) for name in LIBRARIES}
    about = {"python": platform.python_version(), "platform": platform.platform()}
    click.echo(json.dumps({"schema_version": 1, "syncer": syncer.__version__} | about | libraries, indent=2))


@click.command()
@click.argument("code")
@common
def explain(options: Options, code: str) -> None:
    """Tell more about the error CODE (E302), an exit code (4), or all exit codes (exit)."""
    wanted = "exit" if code.isdigit() else code.lower()
    if wanted not in sections():
        raise Usage(f"there is no code {code}; codes look like E302", hint="docs/errors.md lists them all")
    text = sections()[wanted]
    click.echo(json.dumps({"schema_version": 1, "code": code, "text": text}) if options.output == "json" else text)


def sections() -> dict[str, str]:
    """The sections of docs/errors.md, by code in lower case."""
    page = resources.files(syncer).joinpath("errors.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\S+)$", page, flags=re.MULTILINE)[1:]
    return {code.lower(): f"{code}\n{_body(body)}" for code, body in zip(parts[::2], parts[1::2], strict=True)}


def _body(text: str) -> str:
    """A section without the rule and heading that may follow it."""
    return re.split(r"^(?:---|# )", text, flags=re.MULTILINE)[0].strip()
