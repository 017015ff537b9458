"""Who is let in to a registry: holders of a token, or of a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.sandbox.answers import Answer, refusal
from syncer.sandbox.realm import basic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from syncer.sandbox.calls import Call
    from syncer.sandbox.realm import Realm
    from syncer.sandbox.v2 import Gate


def bearer(realm: Realm, where: Callable[[], str]) -> Gate:
    """Ask for a token of `realm`, which is reached at the URL that `where` returns."""

    async def gate(call: Call) -> Answer | None:
        scope = _scope(call)
        credential = call.request.headers.get("Authorization")
        grant = realm.grant(credential)
        if grant is None:
            return _challenge(where(), realm.service, scope, error="invalid_token" if credential else "")
        if call.name and not grant.allows(call.name, _actions(call)):
            return _challenge(where(), realm.service, scope, error="insufficient_scope")
        return None

    return gate


def password(users: Mapping[str, str], realm: str = "Registry") -> Gate:
    """Ask for a Basic credential of one of these users."""

    async def gate(call: Call) -> Answer | None:
        name, secret = basic(call.request.headers.get("Authorization"))
        if name and users.get(name) == secret:
            return None
        return _unauthorized(f'Basic realm="{realm}"')

    return gate


def _actions(call: Call) -> list[str]:
    if call.request.method in ("GET", "HEAD") and call.kind != "upload":
        return ["pull"]
    return ["delete"] if call.request.method == "DELETE" else ["pull", "push"]


def _scope(call: Call) -> str:
    return f"repository:{call.name}:{','.join(_actions(call))}" if call.name else ""


def _challenge(realm: str, service: str, scope: str, error: str = "") -> Answer:
    fields = {"realm": realm, "service": service, "scope": scope, "error": error}
    return _unauthorized("Bearer " + ",".join(f'{key}="{value}"' for key, value in fields.items() if value))


def _unauthorized(challenge: str) -> Answer:
    made = refusal(401, "UNAUTHORIZED", "authentication required")
    made.headers["WWW-Authenticate"] = challenge
    return made
