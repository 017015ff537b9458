"""What a command may be told for once that mirrors.yaml does not allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from syncer.settings.terms import Overwrite, Rollback

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncer.settings.rules import Settings

_OPTIONS = (
    click.option("--overwrite", is_flag=True, help="Move tags at the targets that syncer did not write, too."),
    click.option("--allow-rollback", is_flag=True, help="Let mirrors move a tag back to what it meant before."),
)


def tellable(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def told(settings: Settings, *, overwrite: bool, allow_rollback: bool) -> Settings:
    """`settings`, with what was said."""
    said: dict[str, Any] = {"overwrite": Overwrite.ANY} if overwrite else {}
    said |= {"rollback": Rollback.ALLOW} if allow_rollback else {}
    return settings.on_terms(**said) if said else settings
