"""One request to a registry, read as far as its path goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.sandbox.answers import Answer, refusal

if TYPE_CHECKING:
    from aiohttp import web

    from syncer.sandbox.store import Repo, Store


@dataclass(slots=True)
class Call:
    """What is asked of which repository."""

    request: web.Request
    url: str  # base URL of the server that was asked
    store: Store
    kind: str
    name: str
    reference: str  # a tag, a digest or an upload's id
    repo: Repo | None  # as it was when the request came

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of repeated ones the last."""
        return dict(self.request.query)

    @property
    def accepted(self) -> set[str]:
        """The media types of all Accept headers, without their parameters."""
        lines = ",".join(self.request.headers.getall("Accept", []))
        return {part.partition(";")[0].strip() for part in lines.split(",") if part.strip()}


def name_unknown(call: Call) -> Answer:
    """No such repository."""
    return refusal(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": call.name})


def manifest_unknown(call: Call) -> Answer:
    """No such manifest."""
    key = "Digest" if ":" in call.reference else "Tag"
    return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown", {key: call.reference})


def blob_unknown(call: Call) -> Answer:
    """No such blob."""
    return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry", call.reference)
