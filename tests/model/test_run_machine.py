"""Whatever happens to a run and between runs: no tag at a target names something incomplete, exit codes are true.

A machine of random steps: images are pushed, moved and deleted; the origin goes away, mirrors break in several ways;
targets die or fix their tags; days pass; runs are killed at any call. After every step the targets are looked at, and
after every run its exit code is compared with one that is computed from the state of the world alone. Time is a
parameter, so that retries and days cost nothing.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

from builders import World, blob, complete, hold, image, index
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncer.attempts import Attempts, Policy
from syncer.content.faults import Faults
from syncer.content.memory import MemoryRegistry, MemoryTarget
from syncer.content.places import Place
from syncer.engine.local import LocalEngine
from syncer.engine.stop import Stop
from syncer.errors import NotFound, ProtocolViolation, Unreachable
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import Origin
from syncer.planning.make import make_plan
from syncer.registry.hosts import Hosts
from syncer.registry.mirrored import Mirrored
from syncer.registry.upstream import Branch, Upstream
from syncer.report.events import unseen
from syncer.report.exit_code import exit_code
from syncer.report.model import Report, Run
from syncer.settings.registries import Endpoint, MirrorSettings, Way
from syncer.settings.terms import Terms
from syncer.state.memory import MemoryState

if TYPE_CHECKING:
    from syncer.oci.reference import Reference

HUB = "hub.example"
MIRRORS = ("one.example", "two.example")
TARGETS = ("east", "west")
REPOSITORIES = ("app", "tool")
TAGS = ("1", "2")
KEPT_FOR = timedelta(days=7)

repositories = st.sampled_from(REPOSITORIES)
tags = st.sampled_from(TAGS)


class EveryByteWrong(Faults):
    """Faults of a registry that alters all that it sends."""

    def sent(self, digest, data):  # noqa: ARG002 - one digest is like the other
        return bytes([data[0] ^ 1]) + data[1:]


class Trusting(MemoryRegistry):
    """A registry that takes any manifest: only the order in which things are put keeps its tags whole."""

    def target(self, name):
        return self.held.setdefault(name, TrustingTarget(self, name))


class TrustingTarget(MemoryTarget):
    """A repository there."""

    def _refuse_incomplete(self, m) -> None:
        """Take it."""


class Upstreams(World):
    """A world whose source is an origin with two mirrors of two operators, and one of whose targets trusts us."""

    def __init__(self) -> None:
        super().__init__(*TARGETS)
        self.targets["west"] = Trusting("west.example")
        self.mirrors = {name: MemoryRegistry(name) for name in MIRRORS}
        self.begin()

    def begin(self) -> None:
        """What is known about hosts ends with a run."""
        self.attempts = Attempts(Policy(), self.clock)
        hosts = Hosts(self.clock)
        self._origin = Upstream(_endpoint(HUB), hosts)
        self._mirrors = {name: Upstream(_endpoint(name), hosts, MirrorSettings(_endpoint(name))) for name in MIRRORS}
        self._made: dict[str, Mirrored] = {}

    def source(self, reference: Reference) -> Mirrored:
        name = reference.repository
        if str(name) not in self._made:
            origin = Branch(self._origin, self.host(HUB).source(name))
            mirrors = [Branch(up, self.mirrors[host].source(name)) for host, up in self._mirrors.items()]
            self._made[str(name)] = Mirrored(Place(HUB, name), origin, mirrors, (Way.ORIGIN, Way.AGREEMENT))
        return self._made[str(name)]

    def break_mirror(self, host: str, way: str) -> None:
        """Let a mirror be `good`, or wrong in one way; a stale one goes on saying what its tags mean now."""
        for name in map(RepositoryName, REPOSITORIES):
            mirror, origin = self.mirrors[host].target(name), self.host(HUB).target(name)
            mirror.blobs, mirror.manifests = origin.blobs, origin.manifests
            mirror.named = dict(origin.named) if way == "stale" else origin.named
            mirror.faults = EveryByteWrong() if way == "lying" else Faults()
            mirror.before = _raising(way, host)


def _endpoint(name: str) -> Endpoint:
    return Endpoint(Origin.parse(f"https://{name}"))


def _raising(way: str, host: str):
    errors = {"down": Unreachable, "portal": ProtocolViolation, "empty": NotFound}
    if way not in errors:
        return None

    async def before(_verb: str, _what: object) -> None:
        raise errors[way](f"{host} is {way}", host=host)

    return before


class Runs(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.world = Upstreams()
        self.state = MemoryState()
        self.numbers = itertools.count()
        self.origin_down = False
        self.ways = dict.fromkeys(MIRRORS, "good")
        self.dead: set[str] = set()
        self.confirmed: dict[tuple[str, str, str], tuple] = {}
        self.meant: dict[tuple[str, str], list] = {}  # what tags were seen to mean, the last one last
        for host in MIRRORS:
            self.world.break_mirror(host, "good")
        for repository, tag in itertools.product(REPOSITORIES, TAGS):
            self.push(repository, tag)

    # what people do

    @rule(repository=repositories, tag=tags)
    def push(self, repository: str, tag: str) -> None:
        """A new image of two platforms with a base that others have too, under a tag old or new."""
        one, two = (image(blob("base", 3000), blob(f"{next(self.numbers)}")) for _ in range(2))
        self.world.publish(f"{HUB}/{repository}:{tag}", index(one, two, platforms=("linux/amd64", "linux/arm64")))

    @rule(repository=repositories, tag=tags, other=tags)
    def move_tag(self, repository: str, tag: str, other: str) -> None:
        named = self.world.at_source(f"{HUB}/{repository}").named
        if Tag(other) in named:
            named[Tag(tag)] = named[Tag(other)]

    @rule(repository=repositories, tag=tags)
    def delete_tag(self, repository: str, tag: str) -> None:
        self.world.at_source(f"{HUB}/{repository}").named.pop(Tag(tag), None)

    @rule(host=st.sampled_from(MIRRORS), way=st.sampled_from(["good", "down", "lying", "stale", "empty", "portal"]))
    def break_mirror(self, host: str, way: str) -> None:
        self.ways[host] = way
        self.world.break_mirror(host, way)

    @rule(down=st.booleans())
    def break_origin(self, down: bool) -> None:  # noqa: FBT001 - hypothesis gives it
        self.origin_down = down
        for name in map(RepositoryName, REPOSITORIES):
            self.world.host(HUB).target(name).before = _raising("down" if down else "", HUB)

    @rule(at=st.sampled_from(TARGETS), dead=st.booleans())
    def break_target(self, at: str, dead: bool) -> None:  # noqa: FBT001 - hypothesis gives it
        (self.dead.add if dead else self.dead.discard)(at)

    @rule(at=st.sampled_from(TARGETS), immutable=st.booleans())
    def fix_tags(self, at: str, immutable: bool) -> None:  # noqa: FBT001 - hypothesis gives it
        self.world.targets[at].immutable = immutable

    @rule(at=st.sampled_from(TARGETS), repository=repositories, tag=tags)
    def somebody_else_pushes(self, at: str, repository: str, tag: str) -> None:
        """A tag that we may have written means something that nobody told us of."""
        hold(self.world.at(at, repository), image(blob(f"foreign {next(self.numbers)}")), tag)

    @rule(days=st.sampled_from([0, 1, 8]))
    def lights_out(self, days: int) -> None:
        """The link is down, for some days."""
        self.break_origin(down=True)
        for host in MIRRORS:
            self.break_mirror(host, "down")
        self.world.clock.advance(days * 24 * 3600)
        self.sync()

    @rule(repository=repositories, tag=tags)
    def mirrors_fall_behind_and_then_the_origin_is_gone(self, repository: str, tag: str) -> None:
        for host in MIRRORS:
            self.break_mirror(host, "stale")
        self.push(repository, tag)
        self.sync()
        self.break_origin(down=True)
        self.sync()

    @rule()
    def all_is_well_again(self) -> None:
        self.break_origin(down=False)
        for host in MIRRORS:
            self.break_mirror(host, "good")
        self.dead.clear()

    # what syncer does

    @rule()
    def sync(self) -> None:
        wanted = {key: self.expected(*key) for key in itertools.product(REPOSITORIES, TAGS, TARGETS)}
        self._remember()
        report = asyncio.run(self._run())
        integrity = any(what == "corrupt" for what, _ in wanted.values())
        failed = any(what == "failed" for what, _ in wanted.values())
        assert exit_code(report) == (4 if integrity else 1 if failed else 0), (wanted, report.outcomes)
        for (repository, tag, target), (what, digest) in wanted.items():
            if what == "there":
                assert self.world.at(target, repository).named[Tag(tag)] == digest
                self.confirmed[repository, tag, target] = digest, self.world.clock.now()

    @rule()
    def sync_the_next_night(self) -> None:
        self.world.clock.advance(24 * 3600)
        self.sync()

    @rule()
    def sync_twice(self) -> None:
        self.sync()
        self.sync()

    @rule(repository=repositories, tag=tags)
    def sync_after_a_push(self, repository: str, tag: str) -> None:
        self.push(repository, tag)
        self.sync()

    @precondition(lambda self: len(self.dead) < len(TARGETS))
    @rule(step=st.integers(0, 60))
    def sync_and_be_killed(self, step: int) -> None:
        """At a call to a target nothing more happens there, for ever; then the process is gone with what it noted."""
        state, self.state = self.state, copy.deepcopy(self.state)
        asyncio.run(self._killed(step))
        self.state = state

    @invariant()
    def no_tag_names_something_incomplete(self) -> None:
        for registry in self.world.targets.values():
            assert all(complete(target) for target in registry.held.values())

    # how

    async def _run(self, at_target=None) -> Report:
        self.world.begin()
        for target in TARGETS:
            for name in map(RepositoryName, REPOSITORIES):
                before = _raising("down" if target in self.dead else "", target)
                self.world.targets[target].target(name).before = before or at_target
        rules = [self.world.rule(f"{HUB}/{name}", *TAGS, to=name, terms=Terms()) for name in REPOSITORIES]
        world, clock = self.world, self.world.clock
        plan = await make_plan(world.settings(*rules), world, self.state, clock, world.attempts)
        outcomes = await LocalEngine(world.attempts, clock, self.state, jobs=3).run(plan, world, unseen, Stop())
        return Report(Run("1", "sync", clock.now().isoformat(), 0), tuple(outcomes))

    async def _killed(self, step: int) -> None:
        calls, dead = itertools.count(), asyncio.Event()

        async def counted(_verb: str, _what: object) -> None:
            if next(calls) >= step:
                dead.set()
                await asyncio.Event().wait()

        run = asyncio.create_task(self._run(counted))
        gone = asyncio.create_task(dead.wait())
        await asyncio.wait([run, gone], return_when=asyncio.FIRST_COMPLETED)
        for task in (run, gone):
            task.cancel()
        await asyncio.gather(run, gone, return_exceptions=True)

    def expected(self, repository: str, tag: str, target: str) -> tuple[str, object]:
        """What has to become of one image at one target: `there` with a digest, `kept`, `failed` or `corrupt`."""
        digest, absent = self._meaning(repository, Tag(tag))
        there = self.world.at(target, repository).named.get(Tag(tag))
        if target in self.dead:
            return "failed", None
        if digest is None:
            return (
                ("kept", there) if not absent and self._may_keep(repository, tag, target, there) else ("failed", None)
            )
        if there == digest:
            return "there", digest
        if self._is_turned_back(repository, tag) or not self._is_ours(repository, tag, target, there):
            return "failed", None
        if not self._somebody_is_honest():
            return ("corrupt" if "lying" in self.ways.values() else "failed"), None
        return ("failed", None) if there and self.world.targets[target].immutable else ("there", digest)

    def _meaning(self, repository: str, tag: Tag) -> tuple[object, bool]:
        """The digest that a tag means, None if that is unknown; and whether it is known not to exist."""
        if not self.origin_down:
            digest = self.world.at_source(f"{HUB}/{repository}").named.get(tag)
            return digest, digest is None
        said = [
            self.world.mirrors[host].target(RepositoryName(repository)).named.get(tag)
            for host, way in self.ways.items()
            if way in ("good", "lying", "stale")
        ]
        return (said[0] if len(said) == len(MIRRORS) and len(set(said)) == 1 else None), False

    def _remember(self) -> None:
        """What a run will see that tags mean: if it has a target to look at, and unless it does not believe it."""
        for repository, tag in itertools.product(REPOSITORIES, TAGS):
            digest, _ = self._meaning(repository, Tag(tag))
            if digest and len(self.dead) < len(TARGETS) and not self._is_turned_back(repository, tag):
                meant = self.meant.setdefault((repository, tag), [])
                meant[:] = [*(each for each in meant if each != digest), digest]

    def _is_turned_back(self, repository: str, tag: str) -> bool:
        """Whether mirrors, and not the origin, say that a tag means again what it meant before."""
        digest, _ = self._meaning(repository, Tag(tag))
        return self.origin_down and digest in self.meant.get((repository, tag), [])[:-1]

    def _is_ours(self, repository: str, tag: str, target: str, there: object) -> bool:
        """Whether what a tag means at a target is known to be our doing."""
        confirmed, _ = self.confirmed.get((repository, tag, target), (None, None))
        return there in (None, confirmed, *self.meant.get((repository, tag), []))

    def _may_keep(self, repository: str, tag: str, target: str, there: object) -> bool:
        digest, at = self.confirmed.get((repository, tag, target), (None, None))
        return there is not None and there == digest and self.world.clock.now() - at <= KEPT_FOR

    def _somebody_is_honest(self) -> bool:
        return not self.origin_down or any(way in ("good", "stale") for way in self.ways.values())


TestRuns = Runs.TestCase
TestRuns.settings = settings(
    max_examples=50,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
