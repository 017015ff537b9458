"""A region on the network: the API, `/v2/` per account, the bucket and STS, each on a port of its own."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from syncer.clock import SystemClock
from syncer.sandbox.ecr.api.door import ApiDoor
from syncer.sandbox.ecr.region import Region
from syncer.sandbox.ecr.sts import Sts
from syncer.sandbox.ecr.v2.door import V2Door
from syncer.sandbox.log import Log
from syncer.sandbox.server import Server

if TYPE_CHECKING:
    from typing import Self

    from syncer.clock import Clock
    from syncer.sandbox.ecr.names import RegionNames
    from syncer.sandbox.ecr.principals import Principals
    from syncer.sandbox.ecr.registry import Registry
    from syncer.sandbox.ecr.switches import Switches
    from syncer.sandbox.server import Handle

ACCOUNT = "123456789012"


class EcrRegion:
    """ECR in `region` for these accounts.

    `public`: URLs that it hands out bear the real https names, for a client that maps them with
    `dial`; without it they bear the loopback addresses. Regions of one partition may share `principals`.
    """

    def __init__(
        self,
        region: str,
        accounts: tuple[str, ...] = (ACCOUNT,),
        *,
        public: bool = False,
        clock: Clock | None = None,
        log: Log | None = None,
        principals: Principals | None = None,
    ) -> None:
        self.state = Region.of(region, accounts, clock or SystemClock(), principals)
        self.log = log if log is not None else Log()
        self._public = public
        names = self.names
        self.api = self._server(names.api_host, ApiDoor(self.state).handle)
        self.bucket = self._server(names.bucket_host, self.state.bucket.handle)
        self.state.bucket.base = lambda: self.bucket.url
        self.sts = self._server(names.sts_host, Sts(self.state.principals, {region}).handle)
        self.planes = {
            account: self._server(names.registry_host(account), V2Door(self.state, registry).handle)
            for account, registry in self.state.registries.items()
        }
        self._stack = AsyncExitStack()

    @property
    def names(self) -> RegionNames:
        """What hosts and ARNs are called here."""
        return self.state.names

    @property
    def switches(self) -> Switches:
        """What may be turned while it runs."""
        return self.state.switches

    @property
    def registry(self) -> Registry:
        """The registry of the first account."""
        return next(iter(self.state.registries.values()))

    @property
    def plane(self) -> Server:
        """The `/v2/` server of the first account."""
        return next(iter(self.planes.values()))

    @property
    def servers(self) -> list[Server]:
        """All servers, named by their real hosts."""
        return [self.api, self.bucket, self.sts, *self.planes.values()]

    @property
    def dial(self) -> dict[str, str]:
        """Where the real origins are played: https://… → http://127.0.0.1:…."""
        return {
            f"https://{host}": server.address
            for server in self.servers
            for host in (server.name, *self.names.others(server.name))
        }

    async def __aenter__(self) -> Self:
        for server in self.servers:
            await self._stack.enter_async_context(server)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _server(self, host: str, handle: Handle) -> Server:
        server = Server(host, handle, public=f"https://{host}" if self._public else None, log=self.log)
        server.aliases = tuple(f"https://{other}" for other in self.names.others(host)) if self._public else ()
        return server
