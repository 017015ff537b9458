"""Docker Hub: a registry, its token realm, its CDN and its API, each at an address of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.sandbox import gates, reading, v2
from syncer.sandbox.answers import Answer, redirect
from syncer.sandbox.budget import Budget, used_up
from syncer.sandbox.calls import Call, blob_unknown, manifest_unknown, name_unknown
from syncer.sandbox.cdn import Cdn
from syncer.sandbox.documents import INDEXES
from syncer.sandbox.hub_api import HubApi
from syncer.sandbox.images import Image, populate
from syncer.sandbox.realm import PULL, Realm
from syncer.sandbox.server import Server
from syncer.sandbox.store import Store

if TYPE_CHECKING:
    from syncer.clock import Clock
    from syncer.sandbox.log import Log

REGISTRY = "https://registry-1.docker.io"
AUTH = "https://auth.docker.io"
CDN = "https://production.cloudfront.docker.com"
API = "https://hub.docker.com"


class Hub:
    """Docker Hub over one store.

    `private` names who may pull a repository that is not public; `users` are name and password or
    access token; accounts in `paid` have no pull limit.
    """

    def __init__(self, clock: Clock, log: Log, *, public: bool = True) -> None:
        self.store = Store(clock)
        self.private: dict[str, set[str]] = {}
        self.paid: set[str] = set()
        self.budget = Budget(clock)
        self.realm = Realm("registry.docker.io", clock, self._policy)
        self.users = self.realm.users
        self.cdn = Cdn(clock)
        self.api = HubApi(self.store)
        handlers: v2.Handlers = {
            ("GET", "base"): reading.base,
            ("GET", "tags"): reading.tags,
            ("GET", "manifest"): self._get,
            ("HEAD", "manifest"): self._head,
            ("GET", "blob"): self._blob,
        }
        gate = gates.bearer(self.realm, lambda: f"{self.auth_server.url}/token")
        self.registry = v2.Registry(self.store, dict(handlers), gate)
        self.auth_server = Server("hub-auth", self.realm, public=AUTH if public else None, log=log)
        self.cdn_server = Server("hub-cdn", self.cdn, public=CDN if public else None, log=log)
        self.api_server = Server("hub-api", self.api, public=API if public else None, log=log)
        self.server = Server("hub", self.registry, public=REGISTRY if public else None, log=log)
        self.server.aliases = ("https://docker.io", "https://index.docker.io") if public else ()

    @property
    def servers(self) -> tuple[Server, ...]:
        """All four."""
        return self.server, self.auth_server, self.cdn_server, self.api_server

    def put(self, name: str, tag: str, image: Image) -> str:
        """Publish an image, or move its tag, and return its digest; `nginx` is `library/nginx`."""
        return populate(self.store, name if "/" in name else f"library/{name}", tag, image)

    async def refuse(self) -> None:
        """Be out of reach: refuse all connections."""
        for server in self.servers:
            await server.refuse()

    async def resume(self) -> None:
        """Be in reach again."""
        for server in self.servers:
            await server.resume()

    def _policy(self, account: str, name: str) -> frozenset[str]:
        if name not in self.store:
            return frozenset()
        return PULL if name not in self.private or account in self.private[name] else frozenset()

    async def _head(self, call: Call) -> Answer:
        """Free of charge."""
        return self._with_budget(call, self._manifest(call))

    async def _get(self, call: Call) -> Answer:
        """One pull, whether it is an index or a manifest."""
        made = self._manifest(call)
        source = self._source(call)
        if made.status == 200 and source not in self.paid and not self.budget.take(source):  # noqa: PLR2004 - HTTP
            made = used_up()
        return self._with_budget(call, made)

    def _manifest(self, call: Call) -> Answer:
        """The index for those who accept one, else its linux/amd64 manifest."""
        repo = call.repo
        if repo is None:
            return name_unknown(call)
        stored = repo.find(call.reference)
        if stored and stored.media_type in INDEXES and not reading.is_acceptable(call, stored):
            stored = repo.manifests.get(stored.document.child_for("linux", "amd64") or "")
        return reading.manifest_answer(stored) if stored else manifest_unknown(call)

    async def _blob(self, call: Call) -> Answer:
        found = call.repo.blobs.get(call.reference) if call.repo else None
        return redirect(self.cdn_server.url + self.cdn.sign(found)) if found else blob_unknown(call)

    def _source(self, call: Call) -> str:
        """Whose pull it is: the account's, else the address's."""
        grant = self.realm.grant(call.request.headers.get("Authorization"))
        return (grant.account if grant else "") or call.request.remote or ""

    def _with_budget(self, call: Call, made: Answer) -> Answer:
        source = self._source(call)
        if source not in self.paid:
            made.headers.update(self.budget.headers(source))
        return made
