"""The kinds of things, as plain tables: to add one, write one class or function and one line here.

Values are import paths, so that a kind that is not used is not loaded: boto3 alone costs 0.4 s.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from syncer.settings.ecr_hosts import parse_host

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGETS: Mapping[str, str] = {
    "ecr": "syncer.app.ecr:registry",
    "oci": "syncer.app.plain:registry",
}
"""Registries to write to: functions of (TargetSettings, Parts) that return a Registry."""

KEYCHAINS: Mapping[str, str] = {
    "docker": "syncer.credentials.docker_config:DockerConfigKeychain",
    "ecr": "syncer.app.ecr:keychain",
}
"""Where credentials come from that mirrors.yaml does not give."""

ENGINES: Mapping[str, str] = {
    "local": "syncer.engine.local:LocalEngine",
}
"""Who runs the copies of a plan."""

FORMATS: Mapping[str, str] = {
    ".json": "syncer.formats.json:document",
    ".txt": "syncer.formats.text:document",
}
"""Report files, by suffix: functions of a Report and its exit code that return text."""


def load(path: str) -> Any:
    """The thing that an import path `module:name` names."""
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)


def target_kind(host: str) -> str:
    """Which of TARGETS the registry at `host` is."""
    return "ecr" if parse_host(host) else "oci"
