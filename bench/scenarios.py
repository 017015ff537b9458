"""What is measured: each scenario is a corpus, what links are like, and what the target holds at the start."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bench.rig import Shape

SLOW = 4e6  # bytes per second of one connection
NEAR = Shape()
SOURCE = Shape(round_trip=0.050)
TARGET = Shape(round_trip=0.100)


class Start(Enum):
    """What the target holds when the clock starts."""

    EMPTY = "nothing"
    SAME = "what the program itself put there a moment ago"
    OUTDATED = "the same, and three tags have changed since"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One table of the report."""

    name: str
    title: str
    corpus: str = "small"  # a name of stock.CORPORA
    start: Start = Start.EMPTY
    tls: bool = False
    source: Shape = NEAR
    target: Shape = NEAR
    targets: int = 1
    mirrors: int = 0  # further hosts with the source's content, behind links like the source's
    tags: int = 0  # unchanged tags at the sandbox's ECR; 0: the scenario is at docker-registry
    usual: bool = True  # measured when no scenario is named

    @property
    def one_image(self) -> bool:
        """Whether the corpus is one image."""
        return not self.tags and self.corpus != "small"

    @property
    def far(self) -> bool:
        """Whether round trips are long."""
        return bool(self.source.round_trip or self.target.round_trip)


SCENARIOS = (
    Scenario("cold", "Cold: the target is empty"),
    Scenario("unchanged", "Nothing changed", start=Start.SAME),
    Scenario("changed", "Three tags changed", start=Start.OUTDATED),
    Scenario("tls", "Cold, TLS at both ends", tls=True),
    Scenario("big", "One image with a 1 GB layer", "1g"),
    Scenario("big-tls", "One image with a 1 GB layer, TLS at both ends", "1g", tls=True),
    Scenario("fan-out", "Cold, three targets", targets=3),
    Scenario("far", "Cold, 50 ms to the source, 100 ms to the target, TLS", tls=True, source=SOURCE, target=TARGET),
    Scenario(
        "far-unchanged", "Nothing changed, 50 ms to the source, 100 ms to the target, TLS",
        start=Start.SAME, tls=True, source=SOURCE, target=TARGET,
    ),
    Scenario(
        "far-narrow", "Cold, 50 ms and 100 ms, 4 MB/s per connection, TLS",
        tls=True, source=Shape(0.050, SLOW), target=Shape(0.100, SLOW),
    ),
    Scenario(
        "narrow", "One image with a 256 MB layer, 4 MB/s per connection at the source, which has three mirrors",
        "256m", source=Shape(rate=SLOW), mirrors=3,
    ),
    Scenario("ecr-1000", "1,000 unchanged tags in 10 repositories of the sandbox's ECR", tags=1_000),
    Scenario("ecr-10000", "10,000 unchanged tags in 10 repositories of the sandbox's ECR", tags=10_000),
    Scenario("huge", "One image with a 4 GiB layer", "4g", usual=False),
)  # fmt: skip
