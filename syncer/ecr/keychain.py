"""The 12-hour password of an ECR registry, from GetAuthorizationToken."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

from syncer.credentials.keychain import Credential
from syncer.ecr.skew import time_at
from syncer.errors import AwsRefused
from syncer.settings.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from syncer.clock import Clock
    from syncer.ecr.api import Api
    from syncer.oci.origin import Origin

EARLY = 15 * 60.0  # seconds before its end that a password is renewed, or
SHARE = 0.2  # of its life, whichever is less


class EcrKeychain:
    """Mints and renews the password of one registry, one request for all who wait."""

    def __init__(self, api: Api, origin: Origin, clock: Clock) -> None:
        self._api = api
        self._origin = origin
        self._clock = clock
        self._lock = asyncio.Lock()
        self._credential: Credential | None = None
        self._until = 0.0

    async def credential(self, origin: Origin) -> Credential | None:
        """The password, for the registry's own origin and no other."""
        if origin != self._origin:
            return None
        async with self._lock:
            if self._credential is None or self._clock.monotonic() >= self._until:
                await self._mint()
            return self._credential

    async def renew(self, origin: Origin) -> Credential | None:
        """A new password: the registry says that the last one expired."""
        if origin != self._origin:
            return None
        refused = self._credential
        async with self._lock:
            if self._credential is refused:  # whoever waited here while another renewed takes what that one got
                await self._mint()
            return self._credential

    async def _mint(self) -> None:
        answer = await self._api.call("GetAuthorizationToken", "get_authorization_token")
        data = answer["authorizationData"][0]
        self._credential = _decoded(data, self._api.host)
        life = max(0.0, (data["expiresAt"] - time_at(answer, self._clock.now())).total_seconds())
        self._until = self._clock.monotonic() + life - min(EARLY, SHARE * life)


def _decoded(data: Mapping[str, Any], host: str) -> Credential:
    """`authorizationToken` is base64 of "AWS:<password>". Source: ECR API, AuthorizationData."""
    try:
        username, _, password = base64.b64decode(data["authorizationToken"], validate=True).decode().partition(":")
    except (ValueError, TypeError, KeyError) as error:
        raise AwsRefused(f"GetAuthorizationToken for {host} gave a token that cannot be read", host=host) from error
    return Credential(username, Secret(password))
