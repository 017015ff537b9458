"""The configuration that a command line names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from syncer.cli.redaction import secrets_of
from syncer.config.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from syncer.cli.options import Options
    from syncer.settings.rules import Settings


def configured(options: Options, file: Path | None = None) -> Settings:
    """The settings in `file`, or in that of --config; from then on logs hide its secrets. Raises ConfigError."""
    settings = load(file or options.config, os.environ)
    options.redactor.hide(secrets_of(settings))
    return settings


def configured_or_none(options: Options) -> Settings | None:
    """The same for a command that needs no file: None if none was named and there is none."""
    return configured(options) if named() or options.config.exists() else None


def named() -> bool:
    """Whether --config was given, on the command line or in the environment."""
    return click.get_current_context().get_parameter_source("config") is not ParameterSource.DEFAULT
