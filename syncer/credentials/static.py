"""Credentials that mirrors.yaml gives, and several keychains as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.credentials.keychain import Credential, Keychain
    from syncer.oci.origin import Origin


class StaticKeychain:
    """Credentials by origin, as they were written down."""

    def __init__(self, credentials: Mapping[Origin, Credential]) -> None:
        self._credentials = dict(credentials)

    async def credential(self, origin: Origin) -> Credential | None:
        """What was given for exactly `origin`."""
        return self._credentials.get(origin)

    async def renew(self, _origin: Origin) -> Credential | None:
        """Nothing: what is written down does not change during a run."""
        return None


class FirstOf:
    """The first keychain that knows an origin answers for it."""

    def __init__(self, *keychains: Keychain) -> None:
        self._keychains = keychains

    async def credential(self, origin: Origin) -> Credential | None:
        """The first credential that any of the keychains has."""
        for keychain in self._keychains:
            if found := await keychain.credential(origin):
                return found
        return None

    async def renew(self, origin: Origin) -> Credential | None:
        """A newer credential from the keychain that answers for `origin`."""
        for keychain in self._keychains:
            if await keychain.credential(origin):
                return await keychain.renew(origin)
        return None
