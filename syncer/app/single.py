"""Settings for `syncer copy`: one image, with what a configuration says about the registries, if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.errors import Usage
from syncer.oci.reference import Reference
from syncer.settings.rules import Rule, Settings, TagChoice
from syncer.settings.targets import TargetSettings
from syncer.settings.terms import Overwrite, Rollback, Terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.settings.rules import Platforms

_TOLD = Terms(overwrite=Overwrite.ANY, rollback=Rollback.ALLOW)
"""Who names one image and one destination means just that."""


def copy_settings(
    source: str, destination: str, known: Settings | None, platforms: Platforms | None = None
) -> Settings:
    """The settings under which `source` is mirrored to `destination`; Usage where one of them is no reference."""
    src, dst = _reference(source), _reference(destination)
    if dst.digest is not None:
        raise Usage(f"{destination}: a destination has a tag, not a digest")
    target = _target(dst, known.targets if known else {})
    rule = Rule(src, TagChoice(), dst.repository, dst.tag, (target.name,), platforms, terms=_TOLD)
    if known is None:
        return Settings("the command line", "", {}, {target.name: target}, (rule,))
    return Settings(known.path, "", known.registries, {target.name: target}, (rule,), known.timeouts)


def _reference(text: str) -> Reference:
    try:
        return Reference.parse(text)
    except ValueError as error:
        raise Usage(f"{text} is not an image reference: {error}", hint="write REGISTRY/REPOSITORY:TAG") from error


def _target(destination: Reference, known: Mapping[str, TargetSettings]) -> TargetSettings:
    """The target of the configuration that has this registry, so that its profile and settings hold here too."""
    for target in known.values():
        if target.registry == destination.registry and not target.prefix:
            return target
    return TargetSettings(destination.registry, destination.registry)
