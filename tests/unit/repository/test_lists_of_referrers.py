"""A list of referrers is whole, or it is an error; and it has a bound."""

from __future__ import annotations

import json

import pytest
from builders import image

from syncer.errors import NotFound, ProtocolViolation
from syncer.oci import media_types
from syncer.sandbox.answers import answer, refusal

APP = image(b"app")


def listing(padding: int, pages: int):
    """The action of a registry whose list has so many pages of so many bytes, and then breaks off."""
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": []}
    body = json.dumps(document | {"annotations": {"x": "y" * padding}}).encode()

    async def act(request, _proceed):
        page = int(request.query.get("page", "1"))
        if page > pages:
            return refusal(404, "NAME_UNKNOWN", "gone")
        link = f'<{request.path}?page={page + 1}>; rel="next"'
        return answer(200, body, {"Content-Type": media_types.OCI_INDEX, "Link": link})

    return act


async def test_a_list_that_breaks_off_is_not_a_short_list(at):
    at.fault(listing(10, pages=2), "GET", "referrers")
    with pytest.raises(NotFound):
        await at.app.referrers(APP.digest)


async def test_all_pages_together_have_a_bound(at):
    at.fault(listing(1_500_000, pages=9), "GET", "referrers")
    with pytest.raises(ProtocolViolation, match="more than 4194304 bytes"):
        await at.app.referrers(APP.digest)
    assert len(at.requests) == 3


async def test_a_list_that_is_no_index_is_looked_for_under_the_tag(at):
    async def act(_request, _proceed):
        return answer(200, APP.root.raw, {"Content-Type": media_types.OCI_MANIFEST})

    at.fault(act, "GET", "referrers")
    assert await at.app.referrers(APP.digest) == []
    assert at.requests == ["GET referrers", "GET manifests"]
