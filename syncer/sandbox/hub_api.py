"""Docker Hub's own API, as far as tags go; it can lag behind the registry.

Shape: docs.docker.com/reference/api/hub, "List repository tags".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from syncer.sandbox.answers import Answer, json_answer

if TYPE_CHECKING:
    from aiohttp import web

    from syncer.sandbox.store import Repo, Store, Stored

MAX_PAGE = 100
_TAGS = re.compile(r"/v2/(?:namespaces/([^/]+)/repositories/([^/]+)|repositories/([^/]+)/([^/]+))/tags/?")


class HubApi:
    """Tags with their time and platforms, newest first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._frozen: dict[str, dict[str, str]] | None = None

    def freeze(self) -> None:
        """Show the tags as they are now, whatever happens to them: the lag."""
        self._frozen = {repo.name: dict(repo.tags) for repo in self._store}

    def thaw(self) -> None:
        """Show the tags as they are."""
        self._frozen = None

    async def __call__(self, request: web.Request, url: str) -> Answer:
        """Answer a listing, in pages of at most 100."""
        found = _TAGS.fullmatch(request.path)
        repo = self._store.find("/".join(part for part in found.groups() if part)) if found else None
        if repo is None:
            return json_answer(404, {"message": "object not found", "errinfo": {}})
        page, size = _number(request, "page", 1), min(MAX_PAGE, _number(request, "page_size", 10))
        rows = self._rows(repo)
        shown = rows[(page - 1) * size : page * size]
        here = f"{url}{request.path}"
        more = page * size < len(rows)
        following = f"{here}?{urlencode({'page': page + 1, 'page_size': size})}" if more else None
        before = f"{here}?{urlencode({'page': page - 1, 'page_size': size})}" if page > 1 else None
        return json_answer(200, {"count": len(rows), "next": following, "previous": before, "results": shown})

    def _rows(self, repo: Repo) -> list[dict[str, Any]]:
        tags = repo.tags if self._frozen is None else self._frozen.get(repo.name, {})
        held = [(tag, repo.manifests[digest]) for tag, digest in tags.items() if digest in repo.manifests]
        held.sort(key=lambda item: (-item[1].pushed_at.timestamp(), item[0]))
        return [_row(tag, stored, repo) for tag, stored in held]


def _row(tag: str, stored: Stored, repo: Repo) -> dict[str, Any]:
    children = stored.document.content.get("manifests", [])
    images = [
        {**child.get("platform", {}), "digest": child["digest"], "size": _size(repo.manifests[child["digest"]])}
        for child in children
    ]
    return {
        "name": tag,
        "last_updated": stored.pushed_at.isoformat(),
        "digest": stored.digest,
        "media_type": stored.media_type,
        "full_size": max((item["size"] for item in images), default=_size(stored)),
        "images": images,
    }


def _size(stored: Stored) -> int:
    return sum(item.get("size", 0) for item in stored.document.content.get("layers", ()))


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return max(1, int(text)) if text.isdecimal() else default
