"""The sandbox's world: Docker Hub, mirrors and registries at their own names, all of them on loopback."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from syncer.clock import Clock, SystemClock
from syncer.sandbox.ecr.names import RegionNames
from syncer.sandbox.ecr.server import ACCOUNT, EcrRegion
from syncer.sandbox.hub import Hub
from syncer.sandbox.log import Log
from syncer.sandbox.mirrors import Mirror, MirrorServer
from syncer.sandbox.plain import PlainRegistry

if TYPE_CHECKING:
    from typing import Self

    from syncer.sandbox.server import Server
    from syncer.sandbox.store import Store

ALIYUN = "https://6kx4zyno.mirror.aliyuncs.com"
USTC = "https://docker.mirrors.ustc.edu.cn"
DAOCLOUD = "https://m.daocloud.io/docker.io"


class World:
    """Servers that play real hosts.

    `dial` says where each played origin really is. With `public=False` the servers speak of themselves
    by their real addresses, for programs that cannot be told to dial elsewhere.
    """

    def __init__(self, clock: Clock | None = None, *, public: bool = True) -> None:
        self.clock = clock or SystemClock()
        self.public = public
        self.log = Log()
        self.servers: list[Server] = []
        self.hub = Hub(self.clock, self.log, public=public)
        self.mirrors: dict[str, MirrorServer] = {}  # by origin
        self.registries: dict[str, PlainRegistry] = {}  # by origin
        self.regions: dict[str, EcrRegion] = {}  # of ECR, by name
        self._stack = AsyncExitStack()

    @property
    def dial(self) -> dict[str, str]:
        """Played origin -> real origin."""
        return {
            origin: server.address
            for server in self.servers
            for origin in (server.public, *server.aliases)
            if origin is not None
        }

    async def add(self, *servers: Server) -> None:
        """Start servers; they stop with the world."""
        for server in servers:
            server.log = self.log
            await self._stack.enter_async_context(server)
            self.servers.append(server)

    async def add_registry(self, origin: str) -> PlainRegistry:
        """The plain registry that plays `origin`, made if it is not there."""
        if origin not in self.registries:
            made = PlainRegistry(self.clock, self.log, public=self._public(origin), name=_host(origin))
            self.registries[origin] = made
            await self.add(made.server)
        return self.registries[origin]

    async def add_region(self, region: str, *accounts: str) -> EcrRegion:
        """ECR in `region`, made if it is not there; regions of one partition know the same access keys and roles."""
        if region in self.regions:
            return self.regions[region]
        shared = {one.names.partition: one.state.principals for one in self.regions.values()}
        made = EcrRegion(
            region,
            accounts or (ACCOUNT,),
            public=self.public,
            clock=self.clock,
            log=self.log,
            principals=shared.get(RegionNames.of(region).partition),
        )
        self.regions[region] = made
        await self.add(*made.servers)
        return made

    async def add_mirror(self, url: str, upstream: Store | None = None, *, realm: str | None = None) -> MirrorServer:
        """A mirror of `upstream` (Docker Hub) at `url`, whose path is a repository prefix.

        `realm` is the origin of its token service, if it wants tokens.
        """
        parts = urlsplit(url)
        origin, prefix = f"{parts.scheme}://{parts.netloc}", parts.path.strip("/")
        source = {f"{prefix}/" if prefix else "": upstream or self.hub.store}
        if origin in self.mirrors:
            self.mirrors[origin].mirror.sources.update(source)
            return self.mirrors[origin]
        made = MirrorServer(Mirror(source), self.clock, self.log, public=self._public(origin), name=_host(origin))
        if realm:
            made.ask_for_tokens(self._public(realm))
        self.mirrors[origin] = made
        await self.add(*made.servers)
        return made

    async def add_chinese_mirrors(self) -> tuple[MirrorServer, MirrorServer, MirrorServer]:
        """Aliyun and USTC in host form, DaoCloud in prefix form with its realm elsewhere and no tag list."""
        daocloud = await self.add_mirror(DAOCLOUD, realm="https://auth.m.daocloud.io")
        daocloud.mirror.lists_tags = False
        return await self.add_mirror(ALIYUN), await self.add_mirror(USTC), daocloud

    async def __aenter__(self) -> Self:
        await self.add(*self.hub.servers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _public(self, origin: str) -> str | None:
        return origin if self.public else None


def _host(origin: str) -> str:
    return urlsplit(origin).netloc
