"""Who we are, told to whom it concerns: the outermost ring answers a registry's challenge (law 6)."""

from __future__ import annotations

import asyncio
import copy
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from syncer.errors import TimedOut
from syncer.registry.challenge import parse_challenges
from syncer.registry.failures import body_of
from syncer.registry.tokens import basic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.credentials.keychain import Keychain
    from syncer.registry.challenge import Challenge
    from syncer.registry.http import Client, Request, Response
    from syncer.registry.tokens import Tokens
    from syncer.settings.registries import Endpoint
    from syncer.settings.secret import Secret

_EXPIRED = b"expired"


class Authenticated:
    """A Client that answers its endpoint's challenge, and replays a refused request once, its body opened afresh.

    What the endpoint still refuses is the answer. Requests to other origins pass untouched and without a credential.
    """

    def __init__(self, inner: Client, endpoint: Endpoint, keychain: Keychain | None, tokens: Tokens) -> None:
        self._inner = inner
        self._origin = endpoint.origin
        self._keychain = keychain
        self._tokens = tokens
        self._challenge: Challenge | None = None  # the first one: a realm does not change during a run
        self._first = FirstContact()
        self._renewing = asyncio.Lock()
        self._hopeless: set[Secret | None] = set()  # refused, and nothing newer to be had

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[Response]:
        """The answer to `request`, with a credential if the endpoint asked for one."""
        async with AsyncExitStack() as stack:
            if request.anonymous or request.origin != self._origin:
                yield await stack.enter_async_context(self._inner.send(request))
            else:
                yield await self._answer(stack, request)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._inner.aclose()

    async def _answer(self, stack: AsyncExitStack, request: Request) -> Response:
        async with AsyncExitStack() as attempt:
            async with self._first.turn():
                used = await self._authorization(request)
                response = await attempt.enter_async_context(self._inner.send(_with(request, used)))
                self._learn(response)
            if not self._may_be_refusal(response):
                await stack.enter_async_context(attempt.pop_all())
                return response
            heard = Heard(response, await body_of(response))
        # The refused response is closed by now: its slot may be the only one, and the token request needs one.
        renewed = await self._renewed(request, used) if _changes_with_credential(heard) else None
        if renewed is None:
            return heard
        return await stack.enter_async_context(self._inner.send(_with(request, renewed)))

    def _may_be_refusal(self, response: Response) -> bool:
        """Whether our endpoint refuses, and not a place that it redirects to: that one gets no credential of ours."""
        ours = response.request.origin == self._origin and not response.request.anonymous
        return ours and response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

    def _learn(self, response: Response) -> None:
        if self._challenge is None and self._may_be_refusal(response):
            self._challenge = usable_challenge(response)

    async def _authorization(self, request: Request) -> Secret | None:
        """What to send at first: nothing, until the endpoint has asked for it."""
        if self._challenge is None:
            return None
        if self._challenge.scheme == "bearer":
            return await self._tokens.token(self._challenge, request.scope)
        return await self._password()

    async def _renewed(self, request: Request, refused: Secret | None) -> Secret | None:
        """What to send after `refused` was; None if there is nothing else."""
        if self._challenge is None:
            return None
        if self._challenge.scheme == "bearer":
            return await self._tokens.token(self._challenge, request.scope, refused)
        return await self._other_password(refused)

    async def _password(self) -> Secret | None:
        credential = await self._keychain.credential(self._origin) if self._keychain else None
        return basic(credential) if credential else None

    async def _other_password(self, refused: Secret | None) -> Secret | None:
        """Another password than `refused`; one who waited here finds it renewed, or knows that there is none."""
        async with self._renewing:
            current = await self._password()
            if current != refused or self._keychain is None or refused in self._hopeless:
                return current if current != refused else None
            credential = await self._keychain.renew(self._origin)
            if credential is None:
                self._hopeless.add(refused)
            return basic(credential) if credential else None


class FirstContact:
    """Lets the first request to an endpoint go alone: the others then know the challenge.

    If nobody answers the first one in time, those who waited for it get the same error: fifty tags cost one timeout.
    """

    def __init__(self) -> None:
        self._over: asyncio.Event | None = None
        self._failure: TimedOut | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Go now, or after the first."""
        if self._over is None:
            self._over = asyncio.Event()
            try:
                yield
            except TimedOut as error:
                self._failure = error
                raise
            finally:
                self._over.set()
            return
        if not self._over.is_set():
            await self._over.wait()
            if self._failure:
                raise copy.copy(self._failure)
        yield


class Heard:
    """A Response that is closed already; its body, which was short, is kept."""

    def __init__(self, response: Response, body: bytes) -> None:
        self._response = response
        self.body = body

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def request(self) -> Request:
        """What was asked."""
        return self._response.request

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return self._response.header(name)

    def header_all(self, name: str) -> list[str]:
        """Every value of a header."""
        return self._response.header_all(name)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body."""
        yield self.body

    async def read(self, limit: int) -> bytes:
        """The body, as far as the limit reaches."""
        return self.body[:limit]


def usable_challenge(response: Response) -> Challenge | None:
    """The challenge of `response` that we can answer, a token before a password; none where it is malformed."""
    try:
        challenges = parse_challenges(response.header_all("WWW-Authenticate"))
    except ValueError:
        return None
    bearer = (c for c in challenges if c.scheme == "bearer" and c.params.get("realm"))
    return next(bearer, None) or next((c for c in challenges if c.scheme == "basic"), None)


def _with(request: Request, authorization: Secret | None) -> Request:
    """`request` with a credential; one that a caller wrote into the headers is never sent."""
    headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
    if authorization is not None:
        headers["Authorization"] = authorization.reveal()
    return replace(request, headers=headers)


def _changes_with_credential(heard: Heard) -> bool:
    """Whether another credential may change the answer: 401, or ECR's 403 "Your authorization token has expired"."""
    return heard.status == HTTPStatus.UNAUTHORIZED or _EXPIRED in heard.body.lower()
