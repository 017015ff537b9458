"""Lists that come in pages: a list that cannot be read to its end is an error, never a shorter list."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from syncer.errors import ProtocolViolation, RedirectRefused, RequestRefused
from syncer.oci import strict_json
from syncer.registry import headers
from syncer.registry.failures import failure_of
from syncer.registry.urls import located

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from syncer.registry.http import Client, Request, Response

T = TypeVar("T")

PAGES = 1_000  # registries give 100 to 1000 entries a page
ENTRIES = 100_000  # ECR's limit of images in a repository
PAGE_BYTES = 4 * 1024 * 1024


async def pages(client: Client, first: Request, what: str) -> AsyncIterator[bytes]:
    """The bodies of all pages, following the Link headers; they must stay at the same path of the same origin."""
    request: Request | None = first
    seen: set[str] = set()
    while request is not None:
        if request.target in seen or len(seen) >= PAGES:
            raise ProtocolViolation(f"{request.origin.netloc} never ends {what}", host=request.origin.netloc)
        seen.add(request.target)
        async with client.send(request) as response:
            if response.status != HTTPStatus.OK:
                raise await failure_of(response, what)
            body = await response.read(PAGE_BYTES)
            request = _following(response, request, what)
        yield body


async def entries(client: Client, first: Request, key: str, parse: Callable[[str], T], what: str) -> list[T]:
    """The strings under `key` of all pages, parsed, each once, in the order in which they came.

    One that does not parse is an error that names it: a list with such an entry in it is not to be trusted.
    """
    found: dict[str, T] = {}
    async for body in pages(client, first, what):
        for text in _texts(body, key, first.origin.netloc, what):
            found.setdefault(text, _parsed(parse, text, first.origin.netloc, what))
        if len(found) > ENTRIES:
            raise ProtocolViolation(f"{what} has more than {ENTRIES} entries", host=first.origin.netloc)
    return list(found.values())


async def entries_however_paged(
    client: Client, requests: tuple[Request, Request], key: str, parse: Callable[[str], T], what: str
) -> list[T]:
    """`entries` of the first of `requests`, which names a page size; of the second where that is refused.

    Quay answers 413 for a size that it finds too large, others 400 or 405 for any.
    """
    try:
        return await entries(client, requests[0], key, parse, what)
    except RequestRefused:
        return await entries(client, requests[1], key, parse, what)


def _following(response: Response, request: Request, what: str) -> Request | None:
    """The request for the next page; its query is kept byte for byte, since cursors are opaque."""
    link, host = headers.next_link(response), request.origin.netloc
    if link is None:
        return None
    try:
        origin, target = located(request.origin, request.target, link)
    except ValueError as exc:
        raise ProtocolViolation(f"{host} does not say where {what} continues: {exc}", host=host) from exc
    if origin != request.origin:
        raise RedirectRefused(f"{host} continues {what} at {origin.netloc}", host=host)
    if target.partition("?")[0] != request.target.partition("?")[0]:
        raise ProtocolViolation(f"{host} continues {what} at another path", host=host)
    return replace(request, target=target)


def _texts(body: bytes, key: str, host: str, what: str) -> tuple[str, ...]:
    try:
        members = strict_json.fields(strict_json.loads(body), frozenset({key}), "it")
        return strict_json.texts(members, key, ENTRIES)
    except ValueError as exc:
        raise ProtocolViolation(f"{host} answers with no list for {what}: {exc}", host=host) from exc


def _parsed(parse: Callable[[str], T], text: str, host: str, what: str) -> T:
    try:
        return parse(text)
    except ValueError as exc:
        raise ProtocolViolation(f"{host} lists for {what} what cannot be: {exc}", host=host) from exc
