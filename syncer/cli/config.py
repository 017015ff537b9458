"""`syncer check` and `syncer schema`: what concerns the file alone, offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncer.cli.configured import configured
from syncer.cli.effective import effective, tags
from syncer.cli.options import Options, common
from syncer.config.schema import json_schema
from syncer.formats.units import plural
from syncer.planning.wishes import target_name

if TYPE_CHECKING:
    from syncer.settings.rules import Rule, Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@common
def check(options: Options, file: Path | None) -> None:
    """Validate FILE (default: --config), offline; -v shows what it comes to."""
    settings = configured(options, file)
    if options.output == "json":
        click.echo(json.dumps(_document(settings), indent=2))
        return
    if options.verbose:
        click.echo("\n".join(effective(settings)))
    if not options.quiet:
        counts = f"{plural(len(settings.rules), 'rule')}, {plural(len(settings.targets), 'target')}"
        click.echo(f"{settings.path}: {counts}: no mistakes")


@click.command()
@common
def schema(_options: Options) -> None:
    """Print the JSON Schema of mirrors.yaml, for editors."""
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def _document(settings: Settings) -> dict[str, object]:
    rules = [
        {"source": str(rule.source), "tags": tags(rule), "targets": _destinations(settings, rule)}
        for rule in settings.rules
    ]
    return {
        "schema_version": 1,
        "config": settings.path,
        "config_sha256": settings.sha256,
        "exit_code": 0,
        "rules": rules,
    }


def _destinations(settings: Settings, rule: Rule) -> list[str]:
    tag = f":{rule.rename}" if rule.rename else ""
    return [f"{target_name(settings.targets[name], rule.repository)}{tag}" for name in rule.targets]
