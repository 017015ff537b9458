"""What is tried again, how often and when: the only place that decides it (law 5).

A *step* is a look (a listing, a resolve, a manifest), a fetch (one range of one blob, resumed at its offset) or a
deliver (one blob or manifest to one target). The step, not the request, is repeated: an upload is POST and PUT, and a
failed PUT takes its session with it. Steps may be repeated blindly, since content is addressed by digest.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from syncer.errors import Parked, SyncerError, TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from syncer.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how long: full jitter over a wait that doubles."""

    attempts: int = 6  # per step, the first included; counted anew after progress
    first_wait: float = 0.5  # seconds
    longest_wait: float = 30.0  # seconds
    longest_retry_after: float = 120.0  # seconds that a host may ask us to wait in place
    spare: int = 10  # repetitions that a host gets on top of its share
    share: float = 0.2  # repetitions per step, so that a dead host does not eat the run


class Attempts:
    """Repeats steps within a policy and one budget per host and run."""

    def __init__(self, policy: Policy, clock: Clock) -> None:
        self._policy = policy
        self.clock = clock
        self._steps = 0
        self._repeated: defaultdict[str | None, int] = defaultdict(int)

    async def step(self, once: Callable[[], Awaitable[T]]) -> T:
        """Run `once` until it succeeds, fails for good, or the policy's attempts are used up."""
        tries = self.tries()
        while True:
            try:
                return await once()
            except SyncerError as error:
                await tries.after(error)

    def tries(self) -> Tries:
        """The counter of one step, for steps that make progress while they run."""
        self._steps += 1
        return Tries(self._policy, self.clock, self._spend)

    def _spend(self, host: str | None) -> bool:
        """Whether the budget of `host` has one more repetition."""
        if self._repeated[host] >= self._policy.spare + self._policy.share * self._steps:
            return False
        self._repeated[host] += 1
        return True


class Tries:
    """How often one step was tried since it last made progress."""

    def __init__(self, policy: Policy, clock: Clock, spend: Callable[[str | None], bool]) -> None:
        self._policy = policy
        self._clock = clock
        self._spend = spend
        self._failed = 0
        self.count = 1
        """Attempts so far, the running one included."""

    def progress(self) -> None:
        """The step got somewhere: start counting anew."""
        self._failed = 0

    async def after(self, error: SyncerError) -> None:
        """Wait until the next attempt is due, or raise `error` where there is none."""
        self._failed += 1
        if not error.transient or self._failed >= self._policy.attempts:
            raise error
        wait = self._wait(error)
        if wait > self._policy.longest_retry_after:
            raise Parked(f"{error}; we are to come back in {wait:.0f} s", host=error.host) from error
        if not self._spend(error.host):
            raise error
        self.count += 1
        await self._clock.sleep(wait)

    def _wait(self, error: SyncerError) -> float:
        """Seconds until the next attempt: what the host asked for, else full jitter over a doubling wait."""
        ceiling = min(self._policy.longest_wait, self._policy.first_wait * 2.0 ** (self._failed - 1))
        jitter = ceiling * self._clock.random()
        asked = error.retry_after if isinstance(error, TooManyRequests) else None
        return jitter if asked is None else asked + min(jitter, 1.0)


class Breaker:
    """Keeps a failing endpoint from being asked: five failures in a row shut it for 30 s, doubling up to 10 min."""

    FAILURES = 5
    FIRST = 30.0  # seconds
    LONGEST = 600.0  # seconds

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._shut_for = self.FIRST
        self._until = 0.0

    @property
    def shut(self) -> bool:
        """Whether the endpoint should be left alone now; when the time is over, one probe is let through."""
        return self._clock.monotonic() < self._until

    def succeeded(self) -> None:
        """The endpoint answered."""
        self._failures = 0
        self._shut_for = self.FIRST

    def failed(self) -> None:
        """The endpoint did not answer, or with 5xx."""
        self._failures += 1
        if self._failures >= self.FAILURES:
            self._until = self._clock.monotonic() + self._shut_for
            self._shut_for = min(self.LONGEST, self._shut_for * 2)
