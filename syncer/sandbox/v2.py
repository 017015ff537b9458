"""The distribution protocol over a Store, as a table of handlers that a personality replaces entries of.

Spec: distribution-spec 1.1; strict where distribution/registry is strict.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.sandbox import reading, uploading
from syncer.sandbox.answers import Answer, refusal, text_answer
from syncer.sandbox.calls import Call

if TYPE_CHECKING:
    from aiohttp import web

    from syncer.sandbox.store import Repo, Store

Handler = Callable[[Call], Awaitable[Answer]]
Gate = Callable[[Call], Awaitable[Answer | None]]
Handlers = Mapping[tuple[str, str], Handler]  # (method, kind of path) -> what it does

_PATHS = tuple(
    (kind, re.compile(f"/v2/{pattern}"))
    for kind, pattern in (
        ("base", ""),
        ("catalog", "_catalog"),
        ("tags", "(?P<name>.+)/tags/list"),
        ("uploads", "(?P<name>.+)/blobs/uploads/?"),
        ("upload", "(?P<name>.+)/blobs/uploads/(?P<reference>[^/]+)"),
        ("blob", "(?P<name>.+)/blobs/(?P<reference>[^/]+)"),
        ("manifest", "(?P<name>.+)/manifests/(?P<reference>[^/]+)"),
        ("referrers", "(?P<name>.+)/referrers/(?P<reference>[^/]+)"),
    )
)

READING: Handlers = {
    ("GET", "base"): reading.base,
    ("GET", "catalog"): reading.catalog,
    ("GET", "tags"): reading.tags,
    ("GET", "manifest"): reading.manifest,
    ("GET", "blob"): reading.blob,
    ("GET", "referrers"): reading.referrers,
}
WRITING: Handlers = {
    ("POST", "uploads"): uploading.post,
    ("GET", "upload"): uploading.status,
    ("PATCH", "upload"): uploading.patch,
    ("PUT", "upload"): uploading.put,
    ("DELETE", "upload"): uploading.cancel,
    ("PUT", "manifest"): uploading.put_manifest,
    ("DELETE", "manifest"): uploading.delete_manifest,
    ("DELETE", "blob"): uploading.delete_blob,
}
PLAIN: Handlers = {**READING, **WRITING}


async def admit(_call: Call) -> Answer | None:
    """A gate that is open."""
    return None


@dataclass(slots=True)
class Registry:
    """A store behind `/v2/`.

    `gate` may answer in a handler's place (authentication, limits). `find` may show a name as another
    repository than the store's. A HEAD is a GET whose body is not sent, unless the table has a HEAD.
    What cannot be read is 404, what cannot be done is 405.
    """

    store: Store
    handlers: dict[tuple[str, str], Handler] = field(default_factory=lambda: dict(PLAIN))
    gate: Gate = admit
    find: Callable[[str], Repo | None] | None = None

    async def __call__(self, request: web.Request, url: str) -> Answer:
        """Answer one request; `url` is the base URL of the server that got it."""
        call = self.parse(request, url)
        if call is None:
            return _unsupported("GET")
        handler = self.handlers.get((request.method, call.kind))
        if handler is None and request.method == "HEAD":
            handler = self.handlers.get(("GET", call.kind))
        made = await self.gate(call)
        if made is None:
            made = await handler(call) if handler else _unsupported(request.method)
        made.headers.setdefault("Docker-Distribution-Api-Version", "registry/2.0")
        return made

    def parse(self, request: web.Request, url: str) -> Call | None:
        """What a request is about; None for a path that is none of the protocol's."""
        find = self.find or self.store.find
        for kind, pattern in _PATHS:
            if match := pattern.fullmatch(request.path):
                found = match.groupdict()
                name = found.get("name", "")
                return Call(request, url, self.store, kind, name, found.get("reference", ""), find(name))
        return None


def _unsupported(method: str) -> Answer:
    if method in ("GET", "HEAD"):
        return text_answer(404, "404 page not found\n")
    return refusal(405, "UNSUPPORTED", "The operation is unsupported.")
