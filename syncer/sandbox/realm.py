"""A token service: `GET` and `POST /token`, with tokens that expire and name what they are good for.

Spec: distribution's token authentication and its OAuth2 form.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.sandbox.answers import Answer, json_answer
from syncer.sandbox.documents import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiohttp import web

    from syncer.clock import Clock

    # Which actions an account ("" is anybody) may do in a repository.
    Policy = Callable[[str, str], frozenset[str]]

PULL = frozenset({"pull"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is good for."""

    account: str
    access: dict[str, frozenset[str]]
    expires: float  # by the monotonic clock

    def allows(self, name: str, actions: Iterable[str]) -> bool:
        """Whether it is good for all these actions in that repository."""
        return set(actions) <= self.access.get(name, frozenset())


@dataclass(slots=True)
class Realm:
    """Mints tokens and knows them again."""

    service: str
    clock: Clock
    policy: Policy
    users: dict[str, str] = field(default_factory=dict)  # name -> password or access token
    life: float | None = 300.0  # seconds; None: not said, which means 60
    grants: dict[str, Grant] = field(default_factory=dict)
    refresh_tokens: dict[str, str] = field(default_factory=dict)  # token -> account
    minted: int = 0  # tokens so far

    async def __call__(self, request: web.Request, _url: str) -> Answer:
        """Answer a token request; what the account may not do is left out, with 200 all the same."""
        if request.path not in ("/token", "/service/token"):
            return json_answer(404, {"details": "not found"})
        if request.method == "POST":
            return self._oauth({key: str(value) for key, value in (await request.post()).items()})
        authorization = request.headers.get("Authorization")
        account = self.account(authorization)
        if authorization and not account:
            return json_answer(401, {"details": "incorrect username or password"})
        return json_answer(200, self._issue(account, request.query.getall("scope", [])))

    def account(self, authorization: str | None) -> str:
        """Whose Basic credential that is; empty for nobody's."""
        name, password = basic(authorization)
        return name if name and self.users.get(name) == password else ""

    def grant(self, authorization: str | None) -> Grant | None:
        """What a Bearer credential is good for; None if it is unknown or has expired."""
        kind, _, token = (authorization or "").partition(" ")
        found = self.grants.get(token) if kind.lower() == "bearer" else None
        return found if found and self.clock.monotonic() < found.expires else None

    def refresh_token(self, account: str) -> str:
        """A refresh token, as Docker's credential helpers keep one in place of a password."""
        token = "refresh-" + digest_of(f"{self.service} {account}".encode())[7:39]
        self.refresh_tokens[token] = account
        return token

    def expire(self) -> None:
        """Let all tokens expire now."""
        self.grants.clear()

    def _oauth(self, form: dict[str, str]) -> Answer:
        name = form.get("username", "")
        if form.get("grant_type") == "refresh_token":
            account = self.refresh_tokens.get(form.get("refresh_token", ""), "")
        else:
            account = name if name and self.users.get(name) == form.get("password") else ""
        if not account:
            return json_answer(401, {"details": "incorrect username or password"})
        issued = self._issue(account, form.get("scope", "").split())
        del issued["token"]
        return json_answer(200, {**issued, "refresh_token": self.refresh_token(account)})

    def _issue(self, account: str, scopes: list[str]) -> dict[str, Any]:
        life = 60.0 if self.life is None else self.life
        self.minted += 1
        token = digest_of(f"{self.service} {account} {self.minted}".encode())[7:]
        self.grants[token] = Grant(account, self._access(account, scopes), self.clock.monotonic() + life)
        issued = {"token": token, "access_token": token, "issued_at": self.clock.now().isoformat()}
        return issued if self.life is None else {**issued, "expires_in": int(life)}

    def _access(self, account: str, scopes: list[str]) -> dict[str, frozenset[str]]:
        access: dict[str, frozenset[str]] = {}
        for scope in " ".join(scopes).split():
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            if kind == "repository":
                access[name] = frozenset(actions.split(",")) & self.policy(account, name)
        return access


def basic(authorization: str | None) -> tuple[str, str]:
    """Name and password of a Basic credential; both empty where there is none."""
    kind, _, encoded = (authorization or "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password
