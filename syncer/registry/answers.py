"""What an answer of the distribution API says about content, before its body is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.oci import media_types
from syncer.registry import headers

if TYPE_CHECKING:
    from syncer.oci.digest import Digest
    from syncer.registry.http import Response


def contradicts(response: Response, digest: Digest) -> Digest | None:
    """The digest that the answer's header says instead of `digest`, by the same algorithm; None if it does not."""
    said = headers.content_digest(response)
    return said if said is not None and said.algorithm == digest.algorithm and said != digest else None


def media_type(response: Response) -> str:
    """The media type of the body, "" if the answer has none."""
    return media_types.without_parameters(response.header("Content-Type") or "")


def is_page(response: Response) -> bool:
    """Whether the body is a web page, which no content is: a portal or a parked domain answers."""
    return media_type(response) in ("text/html", "application/xhtml+xml")
