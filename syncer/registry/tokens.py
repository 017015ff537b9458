"""Bearer tokens: asked for once however many wait, kept for most of their life, and only where law 6 allows.

Spec: Docker "Token Authentication Specification" and "OAuth2 Token Specification".
"""

from __future__ import annotations

import asyncio
import base64
import copy
from collections import defaultdict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from syncer.errors import RealmRefused, RedirectRefused, SyncerError, TokenServiceFailed, TooManyRequests, Unauthorized
from syncer.oci import strict_json
from syncer.oci.names import Origin
from syncer.registry.failures import refusal_of
from syncer.registry.http import Body, Request
from syncer.registry.urls import located
from syncer.settings.secret import Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.clock import Clock
    from syncer.credentials.keychain import Credential, Keychain
    from syncer.registry.challenge import Challenge
    from syncer.registry.http import Client, Response
    from syncer.settings.registries import Endpoint

LONGEST_ANSWER = 64 * 1024  # bytes
_DEFAULT_LIFE = 60.0  # seconds, where the answer does not say
_LONGEST_LIFE = 24 * 3600.0  # seconds; ECR's live for twelve hours
_EARLY = 15 * 60.0  # seconds of life, or
_EARLY_SHARE = 0.2  # this share of it, at which a token is renewed, whichever is less
_CLIENT = "syncer"
_AS_SENT = "surrogateescape"  # what of a challenge or a password is no UTF-8 goes out as the bytes that came in
KNOWN_PAIRS = frozenset({(Origin("https", "registry-1.docker.io", 443), Origin("https", "auth.docker.io", 443))})
"""Registries whose tokens come from another origin that belongs to them: their credential may be shown there."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, and until when (by the monotonic clock) it is used."""

    value: Secret  # as `Authorization` carries it
    use_until: float


@dataclass(slots=True)
class _Place:
    """One kind of token: the lock of those who want it, and how the last request for it went."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: Token | None = None
    failure: SyncerError | None = None


class Tokens:
    """The tokens of one endpoint, by realm, service and scope."""

    def __init__(self, endpoint: Endpoint, keychain: Keychain | None, client: Client, clock: Clock) -> None:
        self._endpoint = endpoint
        self._keychain = keychain
        self._client = client
        self._clock = clock
        self._places: defaultdict[tuple[str | None, str | None, str], _Place] = defaultdict(_Place)

    async def token(self, challenge: Challenge, scope: str, refused: Secret | None = None) -> Secret:
        """The `Authorization` for `scope`, another than `refused`.

        Many who ask at once cause one request, and share its failure.
        """
        place = self._places[challenge.params.get("realm"), challenge.params.get("service"), scope]
        seen = place.failure
        async with place.lock:
            if place.token and place.token.value != refused and self._clock.monotonic() < place.token.use_until:
                return place.token.value
            if place.failure is not None and place.failure is not seen:  # it failed while we waited for it
                raise copy.copy(place.failure)
            place.token = None
            try:
                place.token = await self._fetch(challenge, scope)
            except SyncerError as error:
                place.failure = error
                raise
            return place.token.value

    async def _fetch(self, challenge: Challenge, scope: str) -> Token:
        credential = await self._keychain.credential(self._endpoint.origin) if self._keychain else None
        origin, target = self._realm(challenge, anonymous=credential is None)
        request = _token_request(origin, target, _query(challenge, scope), credential)
        try:
            async with self._client.send(request) as response:
                if response.status != HTTPStatus.OK:
                    raise await self._refusal(response, anonymous=credential is None)
                return self._read(await response.read(LONGEST_ANSWER), origin)
        except RedirectRefused as error:  # by the guard: nobody configured that host, and it is not public
            ours = self._endpoint.origin.netloc
            raise RealmRefused(f"{ours} sends us for a token to {origin}, which is not public", host=ours) from error

    def _realm(self, challenge: Challenge, *, anonymous: bool) -> tuple[Origin, str]:
        """Where to ask; RealmRefused where our credential, or without one anybody, must not go (law 6)."""
        ours = self._endpoint.origin
        try:
            realm, target = located(ours, "/v2/", challenge.params.get("realm", ""))
        except ValueError as exc:
            message = f"{ours.netloc} sends us for a token to a place that is none: {exc}"
            raise RealmRefused(message, host=ours.netloc) from exc
        belongs = realm == ours or (ours, realm) in KNOWN_PAIRS or realm in self._endpoint.token_realms
        if not belongs and not anonymous:
            message = f"{ours.netloc} wants its credential to be shown at {realm}, for which it was not given"
            raise RealmRefused(message, host=ours.netloc)
        if (ours.scheme, realm.scheme) == ("https", "http"):
            raise RealmRefused(f"{ours.netloc} sends us for a token to {realm}, without TLS", host=ours.netloc)
        return realm, target

    async def _refusal(self, response: Response, *, anonymous: bool) -> SyncerError:
        """What it means that the token service does not answer 200."""
        ours = self._endpoint.origin.netloc
        said = await refusal_of(response, self._clock.now())
        message = f"no token for {ours}: {said.says}"
        if said.status == HTTPStatus.TOO_MANY_REQUESTS:
            return TooManyRequests(message, host=said.host, retry_after=said.retry_after)
        if said.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            whose = "without a credential" if anonymous else "with the credential given for it"
            return Unauthorized(f"{message} ({whose})", host=ours)
        return TokenServiceFailed(message, host=said.host)

    def _read(self, body: bytes, realm: Origin) -> Token:
        """The token in an answer, which never enters a message."""
        try:
            members = strict_json.fields(strict_json.loads(body), {"token", "access_token"}, "the answer")
            value = strict_json.text(members, "token", "") or strict_json.text(members, "access_token", "")
        except ValueError as exc:
            raise TokenServiceFailed(f"{realm.netloc} answers with no token", host=realm.netloc) from exc
        if not value or not value.isascii() or not value.isprintable():
            raise TokenServiceFailed(f"{realm.netloc} answers with no usable token", host=realm.netloc)
        life = _life(members.get("expires_in"))
        return Token(Secret(f"Bearer {value}"), self._clock.monotonic() + life - min(_EARLY, _EARLY_SHARE * life))


def _life(expires_in: object) -> float:
    """Seconds that a token lives; an integer from a server may be longer than a float can be."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, (int, float)) or expires_in <= 0:
        return _DEFAULT_LIFE
    return float(min(expires_in, _LONGEST_LIFE))


def _query(challenge: Challenge, scope: str) -> list[tuple[str, str]]:
    """What every way to ask says; several scopes, separated by spaces, are several parameters."""
    service = challenge.params.get("service")
    return ([("service", service)] if service else []) + [("scope", one) for one in scope.split()]


def _token_request(origin: Origin, target: str, query: list[tuple[str, str]], credential: Credential | None) -> Request:
    """GET with the name and password if there are any; POST for a refresh token, whose parameters go in the body."""
    if credential and credential.refresh_token:
        scope = " ".join(value for name, value in query if name == "scope")
        form = [pair for pair in query if pair[0] != "scope"] + [("scope", scope)]
        form += [("grant_type", "refresh_token"), ("client_id", _CLIENT)]
        form.append(("refresh_token", credential.refresh_token.reveal()))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Request("POST", origin, target, headers, _body(urlencode(form, errors=_AS_SENT).encode()))
    asked = urlencode(query, quote_via=quote, safe=":/,", errors=_AS_SENT)
    mark = "&" if "?" in target else "?"
    headers = {"Authorization": basic(credential).reveal()} if credential else {}
    return Request("GET", origin, f"{target}{mark}{asked}" if asked else target, headers, anonymous=credential is None)


def basic(credential: Credential) -> Secret:
    """The `Authorization` for a name and password. Spec: RFC 7617."""
    pair = f"{credential.username}:{credential.password.reveal()}"
    return Secret(f"Basic {base64.b64encode(pair.encode(errors=_AS_SENT)).decode()}")


def _body(data: bytes) -> Body:
    async def once() -> AsyncIterator[bytes]:
        yield data

    return Body(len(data), once)
