"""One AWS region: the registries of its accounts, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.sandbox.ecr.bucket import Bucket
from syncer.sandbox.ecr.names import RegionNames
from syncer.sandbox.ecr.principals import Principals
from syncer.sandbox.ecr.registry import Registry
from syncer.sandbox.ecr.switches import Switches
from syncer.sandbox.ecr.tokens import Tokens

if TYPE_CHECKING:
    from syncer.clock import Clock


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request to the AWS API: what was asked, by whom, and the error code if it was refused."""

    operation: str
    access_key: str
    error: str | None


@dataclass(slots=True)
class Region:
    """The state of one region; servers.EcrRegion puts it on the network."""

    names: RegionNames
    clock: Clock
    switches: Switches
    principals: Principals
    tokens: Tokens
    bucket: Bucket
    registries: dict[str, Registry] = field(default_factory=dict)  # by account
    calls: list[ApiCall] = field(default_factory=list)

    @classmethod
    def of(cls, region: str, accounts: tuple[str, ...], clock: Clock, principals: Principals | None) -> Region:
        """A region with empty registries for `accounts`; regions of one partition share their principals."""
        names, switches = RegionNames.of(region), Switches()
        return cls(
            names,
            clock,
            switches,
            principals or Principals(names.partition, accounts[0], clock),
            Tokens(clock, switches),
            Bucket(region, clock, switches),
            registries={account: Registry(account, names, clock, switches) for account in accounts},
        )
