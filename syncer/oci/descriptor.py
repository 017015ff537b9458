"""Descriptors: what a piece of content is, its digest and its size."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from syncer.oci import media_types, strict_json
from syncer.oci.digest import Digest
from syncer.oci.platform import Platform
from syncer.oci.shown import shown

_LARGEST = 2**63 - 1
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_KNOWN = frozenset({"mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"})


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Media type, digest and size in bytes of content that lives elsewhere.

    Spec: image-spec 1.1, descriptor.md.
    """

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    urls: tuple[str, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    artifact_type: str | None = None

    def __post_init__(self) -> None:
        _check_media_type(self.media_type)
        if self.artifact_type is not None:
            _check_media_type(self.artifact_type)
        if isinstance(self.size, bool) or not isinstance(self.size, int) or not 0 <= self.size <= _LARGEST:
            raise ValueError(f"size {shown(self.size)} is not an integer from 0 to 2^63-1")
        for url in self.urls:
            if not _URL.fullmatch(url):
                raise ValueError(f"{shown(url)} is no URL")

    @classmethod
    def from_json(cls, value: Any, what: str = "descriptor") -> Descriptor:
        """The descriptor that a JSON object holds; ValueError, which begins with `what`, if it is none.

        Embedded `data` must be the content itself, else somebody means two things by one descriptor.
        """
        try:
            members = strict_json.fields(value, _KNOWN, "it")
            descriptor = cls(
                strict_json.text(members, "mediaType"),
                Digest.parse(strict_json.text(members, "digest")),
                members.get("size"),  # type: ignore[arg-type]  # __post_init__ refuses what is no size
                Platform.from_json(members.get("platform")),
                strict_json.texts(members, "urls"),
                strict_json.text_pairs(members, "annotations"),
                strict_json.text(members, "artifactType", "") or None,
            )
            _refuse_false_emptiness(descriptor)
            _check_data(members.get("data"), descriptor)
        except ValueError as exc:
            raise ValueError(f"{what}: {exc}") from exc
        return descriptor

    def to_json(self) -> dict[str, Any]:
        """The members of this descriptor as the image-spec writes them, those that are set."""
        members: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        members |= {"urls": list(self.urls)} if self.urls else {}
        members |= {"annotations": dict(self.annotations)} if self.annotations else {}
        members |= {"platform": self.platform.to_json()} if self.platform else {}
        return members | ({"artifactType": self.artifact_type} if self.artifact_type else {})

    @property
    def foreign(self) -> bool:
        """Whether the content is kept outside the registry: it has URLs, or a type that must not be distributed."""
        return bool(self.urls) or media_types.is_nondistributable(self.media_type)


def _check_media_type(text: str) -> None:
    if not media_types.is_media_type(text):
        raise ValueError(f"{shown(text)} is no media type")


def _refuse_false_emptiness(descriptor: Descriptor) -> None:
    """What has no bytes would never be read, and so never be found to be something else."""
    if descriptor.size == 0 and descriptor.digest != Digest.of(b"", descriptor.digest.algorithm):
        raise ValueError("it is said to have no bytes, but its digest is not that of none")


def _check_data(data: Any, descriptor: Descriptor) -> None:
    if data is None:
        return
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, TypeError, ValueError) as exc:
        raise ValueError("its embedded data is not base64") from exc
    if len(content) != descriptor.size or Digest.of(content, descriptor.digest.algorithm) != descriptor.digest:
        raise ValueError("its embedded data does not have its size and digest")
