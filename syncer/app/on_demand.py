"""A keychain that is loaded when a registry asks who we are, not before: most public ones never do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.app import kinds

if TYPE_CHECKING:
    from syncer.credentials.keychain import Credential, Keychain
    from syncer.oci.origin import Origin


class OnDemand:
    """The keychain of a kind in kinds.KEYCHAINS that needs nothing to be made."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._made: Keychain | None = None

    async def credential(self, origin: Origin) -> Credential | None:
        """What that keychain says."""
        return await self._keychain().credential(origin)

    async def renew(self, origin: Origin) -> Credential | None:
        """What that keychain says."""
        return await self._keychain().renew(origin)

    def _keychain(self) -> Keychain:
        if self._made is None:
            self._made = kinds.load(kinds.KEYCHAINS[self._kind])()
        return self._made
