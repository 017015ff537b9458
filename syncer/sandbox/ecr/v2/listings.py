"""What ECR lists over `/v2/`: tags in no order with opaque links, and referrers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from syncer.sandbox.answers import Answer, answer, refusal, text_answer
from syncer.sandbox.documents import OCI_INDEX
from syncer.sandbox.ecr.paging import UnknownTokenError, shuffled

if TYPE_CHECKING:
    from syncer.sandbox.calls import Call
    from syncer.sandbox.ecr.registry import Registry

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000
TOO_LARGE = (
    "Invalid parameter at 'maxResults' failed to satisfy constraint:"
    " 'Member must have value less than or equal to 1000'"
)


class Listings:
    """The listings of one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def tags(self, call: Call) -> Answer:
        """A page of tags. `last` is a token of ours, not a tag: a made-up one is refused."""
        repository = self._registry.repository(call.name)
        wanted, token = call.query.get("n", str(DEFAULT_PAGE)), call.query.get("last")
        if not wanted.isdecimal() or int(wanted) < 1:
            return refusal(400, "UNSUPPORTED", "Invalid parameter at 'maxResults'")
        if int(wanted) > LARGEST_PAGE:
            return refusal(400, "UNSUPPORTED", TOO_LARGE)
        listing, pages, tags = f"tags {call.name}", self._registry.pages, shuffled(list(repository.content.tags))
        try:
            found, following = (
                pages.next(listing, token, int(wanted)) if token else pages.first(listing, tags, int(wanted))
            )
        except UnknownTokenError:
            return refusal(405, "UNSUPPORTED", "Invalid parameter at 'nextToken'")
        made = text_answer(200, json.dumps({"name": call.name, "tags": list(found)}))
        if following:
            query = urlencode({"last": following, "n": wanted})
            made.headers["Link"] = f'<{call.url}/v2/{call.name}/tags/list?{query}>; rel="next"'
        return made

    async def referrers(self, call: Call) -> Answer:
        """Who names this digest as subject (OCI 1.1, "Listing referrers")."""
        found = self._registry.repository(call.name).content.referrers(call.reference)
        headers = {"Content-Type": OCI_INDEX}
        if wanted := call.query.get("artifactType"):
            found = [item for item in found if item["artifactType"] == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}
        return answer(200, json.dumps(document).encode(), headers)
