"""`/v2/` of one registry: Basic authentication, throttles, and a handler per method and kind of path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncer.sandbox import v2
from syncer.sandbox.answers import Answer, refusal, text_answer
from syncer.sandbox.ecr.failures import Failure
from syncer.sandbox.ecr.tokens import Standing
from syncer.sandbox.ecr.v2 import refusals
from syncer.sandbox.ecr.v2.listings import Listings
from syncer.sandbox.ecr.v2.pulls import Pulls
from syncer.sandbox.ecr.v2.pushes import Pushes
from syncer.sandbox.faults import DroppedError
from syncer.sandbox.reading import base

if TYPE_CHECKING:
    from aiohttp import web

    from syncer.sandbox.calls import Call
    from syncer.sandbox.ecr.region import Region
    from syncer.sandbox.ecr.registry import Registry
    from syncer.sandbox.v2 import Handler

ACTIONS = {  # of the API, whose budget a request uses (Amazon ECR service quotas)
    ("HEAD", "blob"): "BatchCheckLayerAvailability",
    ("GET", "blob"): "GetDownloadUrlForLayer",
    ("HEAD", "manifest"): "BatchGetImage",
    ("GET", "manifest"): "BatchGetImage",
    ("PUT", "manifest"): "PutImage",
    ("POST", "uploads"): "InitiateLayerUpload",
    ("PATCH", "upload"): "UploadLayerPart",
    ("PUT", "upload"): "CompleteLayerUpload",
    ("GET", "tags"): "ListImages",
    ("GET", "referrers"): "ListImageReferrers",
}
NAME = re.compile(r"(?=.{2,256}$)[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


class V2Door:
    """The data plane of one account in one region."""

    def __init__(self, region: Region, registry: Registry) -> None:
        self._region = region
        self._registry = registry
        self._paths = v2.Registry(registry.store)
        self._host = region.names.registry_host(registry.account)
        pulls, pushes = Pulls(region, registry), Pushes(region, registry)
        self._handlers: dict[tuple[str, str], Handler] = {
            ("GET", "base"): base,
            ("GET", "tags"): Listings(registry).tags,
            ("GET", "referrers"): Listings(registry).referrers,
            **pulls.handlers,
            **pushes.handlers,
        }

    async def handle(self, request: web.Request, url: str) -> Answer:
        """Answer one request; `url` is the base of the URLs that are handed out."""
        made = await self._answered(request, url)
        made.headers.setdefault("Docker-Distribution-Api-Version", "registry/2.0")
        return made

    async def _answered(self, request: web.Request, url: str) -> Answer:
        match self._region.tokens.standing(request.headers.get("Authorization")):
            case Standing.REFUSED:
                return refusals.not_authorized(self._host)
            case Standing.EXPIRED:
                return refusals.expired(self._host, self._region.switches.expired_status)
        call = self._paths.parse(request, url)
        handler = self._handlers.get((request.method, call.kind)) if call else None
        if call is None or call.kind == "catalog" or (handler is None and request.method == "DELETE"):
            return text_answer(404, "404 page not found\n")
        return await self._served(call, handler)

    async def _served(self, call: Call, handler: Handler | None) -> Answer:
        method = call.request.method
        if call.name and not NAME.fullmatch(call.name):
            return refusal(400, "NAME_INVALID", f"invalid repository name: '{call.name}'")
        if handler is None:
            return refusal(405, "UNSUPPORTED", "The operation is unsupported.")
        try:
            self._registry.throttle.take(ACTIONS.get((method, call.kind), call.kind))
            return await handler(call)
        except Failure as exc:
            if method == "POST" and self._closes(exc):
                raise DroppedError(gently=True) from exc
            return refusals.refused(exc)

    def _closes(self, failure: Failure) -> bool:
        missing = failure.code == "RepositoryNotFoundException"
        return missing and self._region.switches.close_on_missing_repository
