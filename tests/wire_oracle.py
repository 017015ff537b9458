"""Judges what a target was sent, request by request, by the rules that keep its tags whole; knows nothing of syncer.

A manifest may be put only after everything that it refers to is known to be in its repository: because the registry
said so, or took it. Nothing is deleted but upload sessions, and no tag is written but those that were asked for.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from syncer.sandbox.log import Entry

_BLOB = re.compile(r"/v2/(.+)/blobs/(sha256:[0-9a-f]{64})")
_UPLOAD = re.compile(r"/v2/(.+)/blobs/uploads/[^/]*")
_MANIFEST = re.compile(r"/v2/(.+)/manifests/(.+)")
_DIGEST = re.compile(r"(?:^|&)(?:digest|mount)=(sha256(?::|%3A)[0-9a-f]{64})", re.IGNORECASE)


def illegal(entries: Iterable[Entry], tags: Collection[str], held: Callable[[str, str], bytes | None]) -> list[str]:
    """What was not allowed among `entries`, in their order; `held` gives what a repository had before, by digest."""
    known: set[tuple[str, str]] = set()
    wrong: list[str] = []
    for entry in entries:
        if entry.method == "DELETE" and not _UPLOAD.fullmatch(entry.path):
            wrong.append(f"{entry.path} is deleted")
        elif entry.status in (200, 201):
            known |= _learned(entry, held)
            wrong += _about_manifest(entry, tags, known) if entry.method == "PUT" else []
    return wrong


def _learned(entry: Entry, held: Callable[[str, str], bytes | None]) -> set[tuple[str, str]]:
    """What is known to be in a repository after `entry`: as (repository, digest)."""
    if found := _BLOB.fullmatch(entry.path):
        return {found.groups()}
    if (found := _UPLOAD.fullmatch(entry.path)) and (named := _DIGEST.search(entry.query)):
        return {(found[1], named[1].replace("%3A", ":"))}
    found = _MANIFEST.fullmatch(entry.path)
    if found is None or entry.method == "PUT" or ":" not in found[2]:
        return set()
    return _whole(found[1], found[2], held)


def _whole(repository: str, digest: str, held: Callable[[str, str], bytes | None]) -> set[tuple[str, str]]:
    """A manifest that is there, and all below it: it could not have been put without."""
    raw = held(repository, digest)
    below = (
        {fact for child in _refers_to(json.loads(raw)) for fact in _whole(repository, child, held)} if raw else set()
    )
    return {(repository, digest), *below}


def _about_manifest(entry: Entry, tags: Collection[str], known: set[tuple[str, str]]) -> list[str]:
    found = _MANIFEST.fullmatch(entry.path)
    if found is None:
        return []
    repository, name = found.groups()
    lacking = [digest for digest in _refers_to(json.loads(entry.form)) if (repository, digest) not in known]
    known.add((repository, f"sha256:{hashlib.sha256(entry.form).hexdigest()}"))
    wrong = [f"{entry.path} is put before {digest}" for digest in lacking]
    return wrong if ":" in name or name in tags else [*wrong, f"{entry.path} was not asked for"]


def _refers_to(manifest: dict[str, Any]) -> list[str]:
    named = [manifest.get("config"), *manifest.get("layers", ()), *manifest.get("manifests", ())]
    return [d["digest"] for d in named if d and not d.get("urls")]
