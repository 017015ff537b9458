"""Reads what a docker-registry has on disk, and says what is not whole; it believes no index, no log and no syncer.

The layout is the one of distribution's file-system storage: links by repository, bytes by digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 1024 * 1024
ROOT = "docker/registry/v2"


class Store:
    """The files of one registry."""

    def __init__(self, storage: Path) -> None:
        self._root = storage / ROOT
        self._repositories = self._root / "repositories"

    def tags(self, below: str = "") -> dict[str, str]:
        """What each `repository:tag` means, by its link; only of the repositories below that name, if one is given."""
        links = _links(self._repositories / below, "_manifests/tags/*/current/link")
        return {self._name(link): _read(link) for link in links}

    def wrong(self, below: str = "") -> list[str]:
        """All that a tag of this registry promises and does not keep, in words; nothing if every image is whole."""
        return [
            f"{name}: {each}"
            for name, digest in self.tags(below).items()
            for each in self._wrong_manifest(name.rpartition(":")[0], digest)
        ]

    def placed(self) -> set[tuple[str, str]]:
        """Every (repository, digest) of a blob that was finished there."""
        links = _links(self._repositories, "_layers/sha256/*/link")
        return {(str(link.parents[3].relative_to(self._repositories)), _read(link)) for link in links}

    def _name(self, link: Path) -> str:
        """The `repository:tag` of a tag's link."""
        return f"{link.parents[4].relative_to(self._repositories)}:{link.parents[1].name}"

    def _wrong_manifest(self, repository: str, digest: str, size: int | None = None) -> Iterator[str]:
        """What is wrong with a manifest and all below it."""
        if not self._linked(repository, "_manifests/revisions", digest):
            yield f"no manifest {digest}"
            return
        trouble = self._wrong_bytes(digest, size)
        if trouble:
            yield f"manifest {digest} {trouble}"
            return
        document = json.loads(self._data(digest).read_bytes())
        for child in document.get("manifests", []):
            yield from self._wrong_manifest(repository, child["digest"], child["size"])
        for blob in [document[key] for key in ("config",) if key in document] + document.get("layers", []):
            yield from self._wrong_blob(repository, blob)

    def _wrong_blob(self, repository: str, blob: dict[str, Any]) -> Iterator[str]:
        digest = blob["digest"]
        if not self._linked(repository, "_layers", digest):
            yield f"no blob {digest}"
        elif trouble := self._wrong_bytes(digest, blob["size"]):
            yield f"blob {digest} {trouble}"

    def _linked(self, repository: str, kind: str, digest: str) -> bool:
        link = self._repositories / repository / kind / digest.replace(":", "/") / "link"
        return link.exists() and _read(link) == digest

    def _wrong_bytes(self, digest: str, size: int | None) -> str | None:
        """How the bytes kept for `digest` differ from what the descriptor says."""
        data = self._data(digest)
        if not data.exists():
            return "has no bytes"
        if size is not None and data.stat().st_size != size:
            return f"has {data.stat().st_size} bytes and not {size}"
        return None if _digest_of(data) == digest else "has other bytes"

    def _data(self, digest: str) -> Path:
        algorithm, _, encoded = digest.partition(":")
        return self._root / "blobs" / algorithm / encoded[:2] / encoded / "data"


def _links(root: Path, ending: str) -> list[Path]:
    """The links below `root` whose paths end like that; the registry may remove uploads while we look."""
    links = (Path(where) / "link" for where, _, files in os.walk(root) if "link" in files)
    return sorted(link for link in links if link.match(ending))


def _read(link: Path) -> str:
    """The digest in a link; the registry writes it in two steps, so one that is empty is about to be filled."""
    for _ in range(50):
        if text := link.read_text().strip():
            return text
        time.sleep(0.02)
    return "nothing"


def _digest_of(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            hasher.update(piece)
    return f"sha256:{hasher.hexdigest()}"
