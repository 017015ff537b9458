"""Redirects, followed by hand: few, never down to http, and never with a credential to another origin."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from syncer.errors import ProtocolViolation, RedirectRefused
from syncer.registry.urls import located

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.registry.http import Client, Request, Response

MOST_HOPS = 5
_METHODS = ("GET", "HEAD")
_REDIRECTS = (
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
)
_KEPT = ("accept", "range")
"""The headers that may go to another origin; no other does, whatever it is called."""


class Following:
    """A Client that follows the redirects of GET and HEAD; other methods get the redirect as their answer."""

    def __init__(self, inner: Client) -> None:
        self._inner = inner

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[Response]:
        """The answer at the end of the redirects; its `request` is the last one."""
        async with AsyncExitStack() as stack:
            yield await self._last(stack, request)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._inner.aclose()

    async def _last(self, stack: AsyncExitStack, request: Request) -> Response:
        """The first answer that is no redirect; each is closed before the next request, so that no slot waits."""
        seen = [request.url]
        while True:
            async with AsyncExitStack() as hop:
                response = await hop.enter_async_context(self._inner.send(request))
                if response.status not in _REDIRECTS or request.method not in _METHODS:
                    await stack.enter_async_context(hop.pop_all())
                    return response
                request = following(response)
            _refuse_loop(seen, request)
            seen.append(request.url)


def following(response: Response) -> Request:
    """The request that the redirect `response` asks for.

    ProtocolViolation without a Location, RedirectRefused where it leads from https to http or is no plain URL.
    """
    request, location = response.request, response.header("Location")
    host = request.origin.netloc
    if not location:
        raise ProtocolViolation(f"{host} answers {response.status} without a Location", host=host)
    try:
        origin, target = located(request.origin, request.target, location)
    except ValueError as exc:
        raise RedirectRefused(f"{host} redirects to an address that is refused: {exc}", host=host) from exc
    if origin == request.origin:
        return replace(request, target=target)
    if request.origin.leads_down_to(origin):
        raise RedirectRefused(f"{host} redirects from https to {origin}", host=host)
    kept = {name: value for name, value in request.headers.items() if name.lower() in _KEPT}
    return replace(request, origin=origin, target=target, headers=kept, anonymous=True)


def _refuse_loop(seen: list[str], request: Request) -> None:
    host = request.origin.netloc
    if request.url in seen:
        raise RedirectRefused(f"a redirect leads in a circle at {host}", host=host)
    if len(seen) > MOST_HOPS:
        raise RedirectRefused(f"more than {MOST_HOPS} redirects, the last of them to {host}", host=host)
