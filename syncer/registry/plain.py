"""A registry of the kind "oci": any that speaks the distribution API and creates repositories by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.content.places import Place, Traits
from syncer.oci.names import RepositoryName
from syncer.registry import paging
from syncer.registry.kept import Kept, Manifests
from syncer.registry.repository import Repository
from syncer.registry.routes import catalog

if TYPE_CHECKING:
    from syncer.registry.hosts import HostRecord
    from syncer.registry.http import Client
    from syncer.settings.registries import Endpoint


class PlainRegistry:
    """The repositories of one endpoint; each is made once, so that they share what was learnt."""

    def __init__(
        self,
        identity: str,
        endpoint: Endpoint,
        client: Client,
        record: HostRecord,
        manifests: Manifests | None = None,
        traits: Traits | None = None,
    ) -> None:
        self.identity = identity
        self.traits = traits or Traits()
        self._endpoint = endpoint
        self._client = client
        self._record = record
        self._kept = Kept(manifests or Manifests())
        self._made: dict[RepositoryName, Repository] = {}

    def source(self, name: RepositoryName) -> Repository:
        """The repository `name`, to read."""
        return self.target(name)

    def target(self, name: RepositoryName) -> Repository:
        """The repository `name`, to write."""
        if name not in self._made:
            place = Place(self.identity, name)
            self._made[name] = Repository(place, self._endpoint, self._client, record=self._record, kept=self._kept)
        return self._made[name]

    async def repositories(self) -> list[RepositoryName]:
        """Every repository below the endpoint's prefix, as `_catalog` lists them; many registries have no such list."""
        requests = (catalog(self._endpoint.origin), catalog(self._endpoint.origin, paged=False))
        what = f"the repositories of {self.identity}"
        names = await paging.entries_however_paged(self._client, requests, "repositories", RepositoryName, what)
        prefix = f"{self._endpoint.prefix}/" if self._endpoint.prefix else ""
        return [RepositoryName(str(name).removeprefix(prefix)) for name in names if str(name).startswith(prefix)]

    async def prepare(self, name: RepositoryName) -> bool:  # noqa: ARG002 - the protocol's; a push creates it here
        """Nothing: a push creates the repository."""
        return False

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()
