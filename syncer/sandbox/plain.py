"""A plain registry at an address, open to all or to those with a password or a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.sandbox import gates
from syncer.sandbox.realm import PULL, Realm
from syncer.sandbox.server import Server
from syncer.sandbox.store import Store
from syncer.sandbox.v2 import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from syncer.clock import Clock
    from syncer.sandbox.answers import Answer
    from syncer.sandbox.log import Log

ALL = frozenset({"pull", "push", "delete"})


class PlainRegistry:
    """Reads and writes; strict as distribution/registry is."""

    def __init__(self, clock: Clock, log: Log, *, public: str | None = None, name: str = "registry") -> None:
        self.store = Store(clock)
        self.registry = Registry(self.store)
        self.realm = Realm("registry", clock, _anybody_pulls)
        self.server = Server(name, self._serve, public=public, log=log)

    def ask_for_passwords(self, users: Mapping[str, str]) -> None:
        """Let only these users in, with Basic credentials."""
        self.registry.gate = gates.password(users)

    def ask_for_tokens(self, users: Mapping[str, str]) -> None:
        """Let these users do all and others pull, with a token of the realm at `/token` of this very server."""
        self.realm.users.update(users)
        self.registry.gate = gates.bearer(self.realm, lambda: f"{self.server.url}/token")

    def ask_for_tokens_of(self, users: Mapping[str, str], public: str | None = None) -> Server:
        """The same with the realm on another server, which is returned."""
        self.realm.users.update(users)
        auth = Server(f"{self.server.name}-auth", self.realm, public=public, log=self.server.log)
        self.registry.gate = gates.bearer(self.realm, lambda: f"{auth.url}/token")
        return auth

    async def _serve(self, request: web.Request, url: str) -> Answer:
        asked = self.realm if request.path == "/token" else self.registry
        return await asked(request, url)


def _anybody_pulls(account: str, _name: str) -> frozenset[str]:
    return ALL if account else PULL
