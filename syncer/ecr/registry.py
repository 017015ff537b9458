"""An ECR registry: repositories that are made when they are first needed, as the file describes them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from syncer.content.places import Traits
from syncer.ecr.creation import creation, lifecycle_policy
from syncer.ecr.failures import code_of
from syncer.ecr.repository import EcrRepository
from syncer.errors import AwsRefused, RepositoryMissing
from syncer.oci.names import RepositoryName

if TYPE_CHECKING:
    from syncer.content.places import Registry, Source, Target
    from syncer.ecr.api import Api
    from syncer.settings.targets import RepositorySettings


class EcrRegistry:
    """A Registry that asks the AWS API and sends bytes over /v2/.

    `over_http` is the same registry as any other one would be reached; this adds what only ECR has.
    """

    # Sources: CompleteLayerUpload, EmptyUploadException; BatchCheckLayerAvailability; "Blob mounting": a blob can be
    # mounted once an image that was pushed refers to it.
    traits = Traits(empty_blobs=False, batches=True, mounts_uncommitted=False)

    def __init__(self, over_http: Registry, api: Api, settings: RepositorySettings) -> None:
        self._http = over_http
        self._api = api
        self._settings = settings
        self._existing: set[str] | None = None
        self._lock = asyncio.Lock()

    @property
    def identity(self) -> str:
        """The host."""
        return self._http.identity

    def source(self, name: RepositoryName) -> Source:
        """The repository `name`, to read."""
        return self.target(name)

    def target(self, name: RepositoryName) -> Target:
        """The repository `name`, to write."""
        return EcrRepository(self._http.target(name), self._api)

    async def repositories(self) -> list[RepositoryName]:
        """Every repository of the account and region, by DescribeRepositories: `_catalog` is not to be relied on."""
        return [RepositoryName(name) for name in sorted(await self._listed())]

    async def prepare(self, name: RepositoryName) -> bool:
        """Create `name` unless it exists; ECR refuses a push to a repository that does not."""
        async with self._lock:
            if self._existing is None:
                self._existing = await self._listed()
            if str(name) in self._existing:
                return False
            if not self._settings.create:
                raise RepositoryMissing(f"{self.identity} has no repository {name}", host=self.identity)
            created = await self._create(str(name))
            self._existing.add(str(name))
            return created

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._http.aclose()

    async def _listed(self) -> set[str]:
        pages = self._api.pages("DescribeRepositories", "describe_repositories")
        return {row["repositoryName"] async for page in pages for row in page["repositories"]}

    async def _create(self, name: str) -> bool:
        try:
            parameters = creation(self._settings)
            await self._api.of_repository("CreateRepository", "create_repository", name, **parameters)
        except AwsRefused as error:
            if code_of(error) == "RepositoryAlreadyExistsException":  # somebody else was quicker
                return False
            raise
        if policy := lifecycle_policy(self._settings.lifecycle):
            await self._api.of_repository(
                "PutLifecyclePolicy", "put_lifecycle_policy", name, lifecyclePolicyText=policy
            )
        return True
