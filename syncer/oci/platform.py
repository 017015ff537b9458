"""Platforms: what a child of an index runs on, and which of them a rule asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from syncer.oci import strict_json
from syncer.oci.shown import shown

_PART = re.compile(r"[a-z0-9_.-]{1,64}")
_TEXT = re.compile(r"[ -+\--~]{1,128}")  # printable ASCII without the comma, which separates options
_SYSTEMS = {"macos": "darwin"}
_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "i386": ("386", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
_BASELINES = {"amd64": "v1", "arm64": "v8"}  # the variant that goes without saying
_COMPARED_WINDOWS_PARTS = 3  # 10.0.17763.4974: the fourth part is the monthly patch
_KNOWN = frozenset({"architecture", "os", "os.version", "os.features", "variant", "features"})


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """Operating system, architecture and variant, always in their normal form: x86_64 is amd64, arm64/v8 is arm64.

    Spec: image-spec 1.1, image-index.md, "platform"; names are those of GOOS and GOARCH.
    """

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""
    os_features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not f"{self.os}{self.architecture}{self.variant}".isascii():  # a Kelvin sign in lowercase is a k
            raise ValueError(f"{shown(f'{self.os}/{self.architecture}/{self.variant}')} cannot be a platform")
        system, architecture, variant = _normal(self.os.lower(), self.architecture.lower(), self.variant.lower())
        for part in filter(None, (system, architecture, variant)):
            _check(_PART, part, part)
        if not system or not architecture:
            raise ValueError(f"platform {shown(f'{system}/{architecture}')} lacks its system or its architecture")
        for text in (*filter(None, [self.os_version]), *self.os_features):
            _check(_TEXT, text, text)
        object.__setattr__(self, "os", system)
        object.__setattr__(self, "architecture", architecture)
        object.__setattr__(self, "variant", variant)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """`os/architecture[/variant][,osver=VERSION][,osfeature=NAME]...`; ValueError for anything else."""
        parts, *options = text.split(",")
        fields = parts.split("/")
        if len(fields) not in (2, 3) or "" in fields:
            raise ValueError(f"{shown(text)} is no platform; write it as linux/amd64 or linux/arm/v7")
        versions, features = _options(text, options)
        system, architecture, variant = (*fields, "")[:3]
        return cls(system, architecture, variant, "".join(versions), tuple(features))

    @classmethod
    def from_json(cls, value: Any) -> Platform | None:
        """The platform of a descriptor; None where it is absent or names neither system nor architecture."""
        if value is None:
            return None
        fields = strict_json.fields(value, _KNOWN, "platform")
        system = strict_json.text(fields, "os")
        architecture = strict_json.text(fields, "architecture")
        if not system and not architecture:
            return None
        return cls(
            system,
            architecture,
            strict_json.text(fields, "variant", ""),
            strict_json.text(fields, "os.version", ""),
            strict_json.texts(fields, "os.features"),
        )

    def to_json(self) -> dict[str, Any]:
        """The members of a descriptor's `platform`, those that are set."""
        members: dict[str, Any] = {"architecture": self.architecture, "os": self.os}
        for name, value in (("variant", self.variant), ("os.version", self.os_version)):
            members |= {name: value} if value else {}
        return members | ({"os.features": list(self.os_features)} if self.os_features else {})

    def matches(self, wanted: Platform) -> bool:
        """Whether this platform is one that `wanted` asks for.

        System, architecture and variant must be the same: a mirror moves what was named, not what could run as well
        (linux/arm is linux/arm/v7, as for Docker). A version or features count only if `wanted` has them; of a Windows
        version its build counts, not its patch level.
        """
        return (
            (self.os, self.architecture, self._compared_variant())
            == (wanted.os, wanted.architecture, wanted._compared_variant())
            and (not wanted.os_version or self._compared_version() == wanted._compared_version())
            and set(wanted.os_features) <= set(self.os_features)
        )

    def _compared_variant(self) -> str:
        return "v7" if self.architecture == "arm" and not self.variant else self.variant

    def _compared_version(self) -> str:
        if self.os != "windows":
            return self.os_version
        return ".".join(self.os_version.split(".")[:_COMPARED_WINDOWS_PARTS])

    def __str__(self) -> str:
        parts = "/".join(filter(None, (self.os, self.architecture, self.variant)))
        version = f",osver={self.os_version}" if self.os_version else ""
        return parts + version + "".join(f",osfeature={feature}" for feature in self.os_features)


def _normal(system: str, architecture: str, variant: str) -> tuple[str, str, str]:
    system = _SYSTEMS.get(system, system)
    architecture, implied = _ARCHITECTURES.get(architecture, (architecture, ""))
    variant = variant or implied
    if architecture in ("arm", "arm64") and variant.isdigit():
        variant = f"v{variant}"
    return system, architecture, "" if variant == _BASELINES.get(architecture) else variant


def _options(text: str, options: list[str]) -> tuple[list[str], list[str]]:
    values: dict[str, list[str]] = {"osver": [], "osfeature": []}
    for option in options:
        name, _, value = option.partition("=")
        if name not in values or not value:
            raise ValueError(f"{shown(text)} is no platform; only ,osver= and ,osfeature= may follow one")
        values[name].append(value)
    if len(values["osver"]) > 1:
        raise ValueError(f"{shown(text)} is no platform; it has two versions")
    return values["osver"], values["osfeature"]


def _check(grammar: re.Pattern[str], part: str, text: str) -> None:
    if not grammar.fullmatch(part):
        raise ValueError(f"{shown(text)} cannot be part of a platform")
