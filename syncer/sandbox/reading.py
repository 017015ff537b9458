"""What a registry serves: manifests, blobs, tags, referrers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from syncer.sandbox.answers import Answer, answer, blob_answer, json_answer
from syncer.sandbox.calls import blob_unknown, manifest_unknown, name_unknown
from syncer.sandbox.documents import INDEXES, OCI_INDEX, SCHEMAS1

if TYPE_CHECKING:
    from syncer.sandbox.calls import Call
    from syncer.sandbox.store import Repo, Stored


async def base(_call: Call) -> Answer:
    """`GET /v2/`: yes, this is a registry."""
    return json_answer(200, {})


async def catalog(call: Call) -> Answer:
    """All repositories, in pages."""
    names = sorted(repo.name for repo in call.store)
    page, link = paged(call, names, "/v2/_catalog")
    return json_answer(200, {"repositories": page}, link)


async def tags(call: Call) -> Answer:
    """The tags in order; with `n`, in pages with a relative Link (spec: "Listing tags")."""
    if call.repo is None:
        return name_unknown(call)
    page, link = paged(call, sorted(call.repo.tags), f"/v2/{call.name}/tags/list")
    return json_answer(200, {"name": call.name, "tags": page}, link)


async def manifest(call: Call) -> Answer:
    """A manifest by tag or digest, as stored."""
    repo = call.repo
    if repo is None:
        return name_unknown(call)
    stored = negotiated(call, repo)
    return manifest_unknown(call) if stored is None else manifest_answer(stored)


async def blob(call: Call) -> Answer:
    """A blob, or a range of it."""
    repo = call.repo
    if repo is None:
        return name_unknown(call)
    found = repo.blobs.get(call.reference)
    if found is None:
        return blob_unknown(call)
    return blob_answer(found, call.request.headers.get("Range"), {"Docker-Content-Digest": call.reference})


async def referrers(call: Call) -> Answer:
    """Who names this digest as subject (OCI 1.1); nobody is an empty index, not an error."""
    if call.repo is None:
        return name_unknown(call)
    found = call.repo.referrers(call.reference)
    headers = {}
    if wanted := call.query.get("artifactType"):
        found = [item for item in found if item["artifactType"] == wanted]
        headers["OCI-Filters-Applied"] = "artifactType"
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}
    return answer(200, json.dumps(document).encode(), {"Content-Type": OCI_INDEX, **headers})


def negotiated(call: Call, repo: Repo) -> Stored | None:
    """The manifest in a form that the client accepts: an index, else its linux/amd64 child.

    Without an Accept header Docker's types are served and OCI's are not found, as distribution does.
    """
    stored = repo.find(call.reference)
    if stored is None or is_acceptable(call, stored):
        return stored
    if stored.media_type not in INDEXES or ":" in call.reference:
        return None
    child = stored.document.child_for("linux", "amd64")
    found = repo.manifests.get(child or "")
    return found if found is not None and is_acceptable(call, found) else None


def is_acceptable(call: Call, stored: Stored) -> bool:
    """Whether the client's Accept list admits the stored type; schema 1 is served to everyone."""
    accepted = call.accepted
    if not accepted:
        return "docker" in stored.media_type
    return bool(accepted & {stored.media_type, "*/*", "application/*"}) or stored.media_type in SCHEMAS1


def manifest_answer(stored: Stored) -> Answer:
    """A manifest with its digest."""
    headers = {
        "Content-Type": stored.media_type,
        "Docker-Content-Digest": stored.digest,
        "Etag": f'"{stored.digest}"',
    }
    return answer(200, stored.raw, headers)


def paged(call: Call, items: list[str], path: str) -> tuple[list[str], dict[str, str]]:
    """One page of sorted items, and the Link to the next one where there is one."""
    query = call.query
    rest = [item for item in items if item > query.get("last", "")]
    count = int(query["n"]) if query.get("n", "").isdecimal() else len(rest)
    page = rest[:count]
    if not page or len(page) == len(rest):
        return page, {}
    following = urlencode({"n": count, "last": page[-1]})
    return page, {"Link": f'<{path}?{following}>; rel="next"'}
