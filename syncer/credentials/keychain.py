"""What a keychain is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from syncer.oci.origin import Origin
    from syncer.settings.secret import Secret


@dataclass(frozen=True, slots=True)
class Credential:
    """Who we are at one origin: a name and password, or a refresh token for its token service."""

    username: str
    password: Secret
    refresh_token: Secret | None = None  # docker's `identitytoken`: OAuth2 refresh_token grant


class Keychain(Protocol):
    """Knows credentials by origin: scheme, host and port, never less."""

    async def credential(self, origin: Origin) -> Credential | None:
        """The credential that was given for exactly this origin; None: be anonymous there."""

    async def renew(self, origin: Origin) -> Credential | None:
        """The credential after the registry refused the last one; None: there is no newer one."""
