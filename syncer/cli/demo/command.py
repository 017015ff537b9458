"""The command: load a file, build its world, play the scenes."""

from __future__ import annotations

import asyncio
import sys
from importlib import resources
from typing import TYPE_CHECKING

import click

import syncer
from syncer.cli.configured import named
from syncer.cli.demo.play import play
from syncer.cli.demo.settings import demo_settings, placeholders
from syncer.cli.demo.surroundings import without_the_users_settings
from syncer.cli.options import Options, common
from syncer.config.load import content_of, load_bytes
from syncer.errors import Usage

if TYPE_CHECKING:
    from syncer.settings.rules import Settings


@click.command()
@common
def demo(options: Options) -> None:
    """Mirror the images of a mirrors.yaml in a sandbox: no network, no AWS, no Docker.

    Every exact tag that the file names gets an image in an embedded Docker Hub; its mirrors and its ECR regions are
    played as well. No credential, proxy or AWS setting of yours is read.
    """
    settings = demo_settings(_loaded(options))
    if not settings.rules:
        raise Usage(f"{settings.path} names no exact tag to make an image for", hint='give one rule `tags: ["1.0"]`')
    with without_the_users_settings():
        sys.exit(asyncio.run(play(settings, options)))


def _loaded(options: Options) -> Settings:
    """The file of --config, if one was named, else the project's own; none of the files that it names is opened."""
    if named():
        content, name = content_of(options.config), str(options.config)
    else:
        content, name = resources.files(syncer).joinpath("mirrors.yaml").read_bytes(), "syncer's own mirrors.yaml"
    return load_bytes(content, name, placeholders(content), None)
