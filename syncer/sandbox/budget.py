"""Docker Hub's pull budget: so many manifest GETs in a window, per account or address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncer.sandbox.answers import Answer, refusal

if TYPE_CHECKING:
    from syncer.clock import Clock

PULL_LIMIT = "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"


@dataclass(slots=True)
class Budget:
    """Counts pulls by source; `limit` None is a paid plan, without count or headers."""

    clock: Clock
    limit: int | None = 100
    window: int = 21600  # seconds
    pulls: dict[str, list[float]] = field(default_factory=dict)  # source -> when, by the monotonic clock

    def remaining(self, source: str) -> int:
        """How many pulls are left."""
        since = self.clock.monotonic() - self.window
        self.pulls[source] = [when for when in self.pulls.get(source, []) if when > since]
        return max(0, (self.limit or 0) - len(self.pulls[source]))

    def take(self, source: str) -> bool:
        """Count a pull; False when there is none left."""
        if self.limit is not None and self.remaining(source) == 0:
            return False
        self.pulls.setdefault(source, []).append(self.clock.monotonic())
        return True

    def headers(self, source: str) -> dict[str, str]:
        """What the answer says of it, as `N;w=S`."""
        if self.limit is None:
            return {}
        return {
            "ratelimit-limit": f"{self.limit};w={self.window}",
            "ratelimit-remaining": f"{self.remaining(source)};w={self.window}",
            "docker-ratelimit-source": source,
        }


def used_up() -> Answer:
    """What Docker Hub says when there is none left."""
    return refusal(429, "TOOMANYREQUESTS", PULL_LIMIT)
