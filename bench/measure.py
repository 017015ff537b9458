"""Measuring: every contender in turn, round after round, and what the rounds come to."""

from __future__ import annotations

import statistics
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import ecr, ecr_world
from bench.corpus import Census
from bench.peers import OURS, SYNCER
from bench.process import run
from bench.rig import Certificates, tags_of
from bench.scenarios import Start
from bench.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.counts import Traffic
    from bench.peers import Contender
    from bench.process import Spent
    from bench.scenarios import Scenario
    from bench.stage import Door, Stand
    from bench.stock import Stock


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one contender, seen from outside."""

    spent: Spent
    source: Traffic
    target: Traffic
    same: int  # tags that mean at the targets what they mean at the source
    tags: int  # tags that there are, times targets
    connections: int = 0  # over links, where there are any


@dataclass(slots=True)
class Result:
    """All runs of one contender in one scenario; none: it is not here."""

    contender: str
    samples: list[Sample] = field(default_factory=list)

    @property
    def seconds(self) -> float | None:
        """The median."""
        return statistics.median(each.spent.seconds for each in self.samples) if self.samples else None

    @property
    def cpu(self) -> float:
        """The median of CPU seconds."""
        return statistics.median(each.spent.cpu for each in self.samples)

    @property
    def peak(self) -> int:
        """The highest peak of memory."""
        return max(each.spent.peak for each in self.samples)

    @property
    def middle(self) -> Sample:
        """The run whose time is the median."""
        ordered = sorted(self.samples, key=lambda each: each.spent.seconds)
        return ordered[(len(ordered) - 1) // 2]


@dataclass(frozen=True, slots=True)
class Table:
    """What a scenario came to."""

    scenario: Scenario
    census: Census
    results: list[Result]

    def of(self, contender: str) -> Result | None:
        """The runs of that contender, if it was measured."""
        return next((each for each in self.results if each.contender == contender and each.samples), None)

    @property
    def best_peer(self) -> float | None:
        """The shortest median of all peers."""
        peers = [each for each in self.results if each.contender not in OURS and each.samples]
        return min((each.seconds for each in peers if each.seconds is not None), default=None)


@dataclass(frozen=True, slots=True)
class Bench:
    """How everything is measured."""

    work: Path
    stock: Stock
    certificates: Certificates
    contenders: Sequence[Contender]
    runs: int

    def measure(self, scenario: Scenario) -> Table:
        """All contenders in `scenario`."""
        if scenario.tags:
            return self._at_ecr(scenario)
        stored = self.stock.get(scenario.corpus)
        results = [Result(each.name) for each in self.contenders]
        stage = Stage(self.work / "stage", scenario, stored, self.certificates if scenario.tls else None)
        with ExitStack() as stack:
            stack.callback(stage.close)
            play = Play(self.stock, scenario, stage, stack)
            for number in range(self.runs):
                for contender, result in play.order(self.contenders, results, number):
                    result.samples.append(play.turn(contender))
                    tell(scenario, result)
        return Table(scenario, stored.census, results)

    def _at_ecr(self, scenario: Scenario) -> Table:
        """Syncer alone."""
        home = self.work / scenario.name
        home.mkdir(exist_ok=True)
        results = [Result(each.name) for each in self.contenders]
        mine = next(each for each in results if each.contender == SYNCER)
        with ecr.world(scenario.tags, home) as process:
            for _ in range(self.runs):
                spent, source, target, same = ecr.turn(process, home)
                mine.samples.append(Sample(spent, source, target, same, scenario.tags))
                tell(scenario, mine)
        return Table(scenario, Census(ecr_world.REPOSITORIES, scenario.tags, scenario.tags, 0, 0, 0, 0), results)


class Play:
    """The rounds of one scenario."""

    def __init__(self, stock: Stock, scenario: Scenario, stage: Stage, stack: ExitStack) -> None:
        self._stock, self._scenario, self._stage, self._stack = stock, scenario, stage, stack
        self._stands: dict[str, Stand] = {}  # that last for the whole scenario
        self._changes = 0

    def order(
        self, contenders: Sequence[Contender], results: Sequence[Result], number: int
    ) -> Iterator[tuple[Contender, Result]]:
        """Those who are here; each round begins with another one."""
        here = [(who, what) for who, what in zip(contenders, results, strict=True) if self._takes_part(who)]
        for who, _ in here:
            if self._scenario.start is not Start.EMPTY and who.name not in self._stands:
                self._stands[who.name] = self._filled(who)
        if self._scenario.start is Start.OUTDATED:
            self._changes += 1
            self._stock.change(self._stage.source.registry.host, self._changes)
        start = number % len(here) if here else 0
        yield from here[start:] + here[:start]

    def _takes_part(self, contender: Contender) -> bool:
        return contender.present and (self._scenario.one_image or not contender.one_image)

    def turn(self, contender: Contender) -> Sample:
        """One run of one contender."""
        if self._scenario.start is not Start.EMPTY:
            return self._run(contender, self._stands[contender.name])
        stand = self._stage.stand(contender.name)
        try:
            return self._run(contender, stand)
        finally:
            stand.close()

    def _filled(self, contender: Contender) -> Stand:
        """Targets that hold everything, put there by the contender itself over short links."""
        stand = self._stage.stand(contender.name)
        self._stack.callback(stand.close)
        run(contender.recipe(self._stage.job(stand), stand.home), stand.home)
        return stand

    def _run(self, contender: Contender, stand: Stand) -> Sample:
        doors = [self._stage.source, *stand.doors]
        recipe = contender.recipe(self._stage.job(stand), stand.home)
        with stretched(doors):
            before = sum(door.connections for door in doors)
            self._stage.source.registry.traffic()
            stand.traffic()
            spent = run(recipe, stand.home)
            source, target = self._stage.source.registry.traffic(), stand.traffic()
            connections = sum(door.connections for door in doors) - before
        wanted = tags_of(self._stage.storage)
        return Sample(spent, source, target, stand.same(wanted), len(wanted) * len(stand.doors), connections)


@contextmanager
def stretched(doors: Sequence[Door]) -> Iterator[None]:
    """Links are long within the block."""
    for door in doors:
        door.stretch(far=True)
    try:
        yield
    finally:
        for door in doors:
            door.stretch(far=False)


def tell(scenario: Scenario, result: Result) -> None:
    """One line per run on stderr."""
    last = result.samples[-1]
    counted = f"{last.source.total} + {last.target.total} requests, {last.same}/{last.tags} tags"
    trouble = f", {last.spent.failed} failed: {last.spent.said}" if last.spent.failed else ""
    print(f"{scenario.name:14} {result.contender:16} {last.spent.seconds:7.2f} s  {counted}{trouble}", file=sys.stderr)
