"""A configuration as the demo uses it: the same rules, registries and mirrors, without anything that is the user's."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from syncer.settings.registries import Endpoint, MirrorSettings, RegistrySettings
from syncer.settings.rules import Rule, Settings, TagChoice
from syncer.settings.targets import TagMutability, TargetSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIRED = re.compile(rb"\$\{(\w+)(?:\}|:\?)")  # ${NAME} and ${NAME:?text}, which have no default
_PLACEHOLDERS = {"account": "123456789012", "region": "cn-north-1", "": "demo.example"}
"""What a variable is taken to be, by the first of these words that its name contains."""


def placeholders(content: bytes) -> Mapping[str, str]:
    """A value for every variable that the file cannot do without; the user's own are not looked at."""
    return {name.decode(): _placeholder(name.decode().lower()) for name in _REQUIRED.findall(content)}


def _placeholder(name: str) -> str:
    return next(value for word, value in _PLACEHOLDERS.items() if word in name)


def demo_settings(settings: Settings) -> Settings:
    """`settings` without credentials, proxies, CAs and limits, and with the rules' exact tags only."""
    return replace(
        settings,
        registries={name: _registry(registry) for name, registry in settings.registries.items()},
        targets={name: _target(target) for name, target in settings.targets.items()},
        rules=tuple(exact for rule in settings.rules if (exact := _exact(rule))),
    )


def _registry(registry: RegistrySettings) -> RegistrySettings:
    mirrors = tuple(MirrorSettings(_endpoint(m.endpoint), m.trust, m.operator) for m in registry.mirrors)
    return replace(registry, endpoint=_endpoint(registry.endpoint), mirrors=mirrors)


def _endpoint(endpoint: Endpoint) -> Endpoint:
    return Endpoint(endpoint.origin, endpoint.prefix)


def _target(target: TargetSettings) -> TargetSettings:
    """Without anybody's AWS identity, and able to play the scenes: repositories are made, and tags move."""
    repositories = replace(
        target.repositories, create=True, tag_mutability=TagMutability.MUTABLE, mutability_exclusions=()
    )
    return replace(target, profile=None, role_arn=None, external_id=None, repositories=repositories)


def _exact(rule: Rule) -> Rule | None:
    """The rule with its exact tags only; None where it has none, or pins a digest that no made image can have."""
    if rule.source.digest is not None or not (rule.tags.exact or rule.source.tag):
        return None
    return replace(rule, tags=TagChoice(exact=rule.tags.exact))
