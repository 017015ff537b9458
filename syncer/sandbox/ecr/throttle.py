"""A token bucket per action at ECR's quotas; both doors draw from the same buckets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.sandbox.ecr.failures import throttled

if TYPE_CHECKING:
    from syncer.clock import Clock
    from syncer.sandbox.ecr.switches import Switches

QUOTAS = {  # per second, account and region: AWS service quotas of Amazon ECR
    "GetAuthorizationToken": 500,
    "BatchCheckLayerAvailability": 1000,
    "BatchGetImage": 2000,
    "GetDownloadUrlForLayer": 3000,
    "InitiateLayerUpload": 100,
    "UploadLayerPart": 500,
    "CompleteLayerUpload": 100,
    "PutImage": 10,
}


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Throttle:
    """Refuses an action whose bucket is empty; counts what it let through and what it refused."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._buckets: dict[str, _Bucket] = {}
        self.passed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def take(self, action: str) -> None:
        """Count one `action`, or raise ThrottlingException."""
        if action in QUOTAS and not self._has_room(action):
            self.refused[action] += 1
            raise throttled()
        self.passed[action] += 1

    def _has_room(self, action: str) -> bool:
        rate = QUOTAS[action] * self._switches.quota_factor
        capacity = max(1.0, rate * self._switches.burst_seconds)
        now = self._clock.monotonic()
        bucket = self._buckets.setdefault(action, _Bucket(capacity, now))
        bucket.level = min(capacity, bucket.level + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.level < 1:
            return False
        bucket.level -= 1
        return True
