"""How fast each action of the ECR API may be used, and /v2/ with it: both draw on one quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.registry.throttle import rate_of

if TYPE_CHECKING:
    from syncer.registry.throttle import Rate

QUOTAS = {  # calls a second, per account and region. Source: AWS, "Amazon ECR service quotas"
    "GetAuthorizationToken": 500,
    "BatchCheckLayerAvailability": 1000,
    "BatchGetImage": 2000,
    "InitiateLayerUpload": 100,
    "CompleteLayerUpload": 100,
    "PutImage": 10,
}
UNDOCUMENTED = 10  # calls a second for every other action
HEADROOM = 0.8  # of a quota is ours, since others work in the same account


class Pace:
    """The turns of one account and region, each action by its own quota, of which `share` is ours."""

    def __init__(self, share: float = HEADROOM) -> None:
        self._share = share
        self._rates: dict[str, Rate] = {}

    async def turn(self, action: str) -> None:
        """Wait until `action` may be used once more."""
        if action not in self._rates:
            self._rates[action] = rate_of(self._share * QUOTAS.get(action, UNDOCUMENTED))
        await self._rates[action].acquire()
