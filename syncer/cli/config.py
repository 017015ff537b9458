"""`syncer check` and `syncer schema`: what concerns the file alone, offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncer.cli.configured import configured
from syncer.cli.options import Options, common
from syncer.config.schema import json_schema
from syncer.formats.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncer.settings.registries import Limits
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
        click.echo("\n".join(_effective(settings)))
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
        {"source": str(rule.source), "tags": _tags(rule), "targets": _destinations(settings, rule)}
        for rule in settings.rules
    ]
    return {
        "schema_version": 1,
        "config": settings.path,
        "config_sha256": settings.sha256,
        "exit_code": 0,
        "rules": rules,
    }


def _effective(settings: Settings) -> Iterator[str]:
    for registry in settings.registries.values():
        yield f"registry {registry.name}: {registry.endpoint.origin}, {_limits(registry.endpoint.limits)}"
        yield f"  resolve: {', '.join(way.value for way in registry.resolve)}; keep_for: {registry.keep_for:.0f} s"
        for mirror in registry.mirrors:
            place = f"{mirror.endpoint.origin}/{mirror.endpoint.prefix}".rstrip("/")
            trust = f"trust {mirror.trust.value}, operator {mirror.operator}"
            yield f"  mirror {place}: {trust}, {_limits(mirror.endpoint.limits)}"
    for target in settings.targets.values():
        who = target.role_arn or target.profile or "the default credentials"
        yield f"target {target.name}: {target.registry}, {who}"
    for rule in settings.rules:
        yield f"{rule.source.familiar} [{', '.join(_tags(rule))}] -> {', '.join(_destinations(settings, rule))}"


def _limits(limits: Limits) -> str:
    rate = "" if limits.per_second is None else f", {limits.per_second:g} a second"
    return f"{limits.in_flight} in flight{rate}"


def _tags(rule: Rule) -> list[str]:
    given = rule.source.digest or rule.source.tag
    return [*map(str, rule.tags.exact), *rule.tags.globs] or [str(given)]


def _destinations(settings: Settings, rule: Rule) -> list[str]:
    tag = f":{rule.rename}" if rule.rename else ""
    return [f"{settings.targets[name].registry}/{rule.repository}{tag}" for name in rule.targets]
