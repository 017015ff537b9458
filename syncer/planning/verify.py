"""The targets read back: whether what the plan wants is there, whole, and with the right bytes."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syncer.errors import CorruptAtTarget, Failure, IntegrityError, NotFound, RepositoryMissing, SyncerError
from syncer.plan.model import Why
from syncer.planning.looks import Once
from syncer.report.events import ImageFinished, RunStarted
from syncer.report.model import Outcome, Status
from syncer.report.verdict import worst
from syncer.transfer.crowd import for_each
from syncer.transfer.graph import Walk, blobs_of
from syncer.transfer.outcomes import begun, given_up, skipped
from syncer.transfer.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.attempts import Attempts
    from syncer.content.places import Place, Places, Target
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.platform import Platform
    from syncer.oci.reference import Reference
    from syncer.plan.model import Plan
    from syncer.report.events import Observer

_AT_ONCE = 16  # images
_BLOBS_AT_ONCE = 8  # of one image
_SYNC = "run `syncer sync`"
_AGAIN = "delete the image at the target and run `syncer sync` again"


@dataclass(frozen=True, slots=True)
class _Claim:
    """What should be at a destination, and the outcome if nothing else can be said."""

    target: str
    reference: Reference
    digest: Digest
    referrers: bool
    outcome: Outcome
    only: tuple[Platform, ...] = ()
    lacking: bool = False  # the tag is right, and still planning found something of the image absent


async def verify(
    plan: Plan, places: Places, attempts: Attempts, observe: Observer, *, deep: bool = False
) -> tuple[Outcome, ...]:
    """Read back every destination of `plan`: root, children, presence and size of each blob; `deep`: also its bytes.

    The plan must come from asking the source, not from a state: an image that nobody could be asked about has failed.
    """
    outcomes = [_failed(outcome) for outcome in _without_claim(plan)]
    claims = _claims(plan)
    observe(RunStarted(len(claims) + len(outcomes), sum(copy.size for copy in plan.copies)))
    reader = _Reader(places, attempts, deep=deep)

    async def check(claim: _Claim) -> None:
        outcomes.append(await reader.checked(claim))
        observe(ImageFinished(outcomes[-1]))

    await for_each(claims, check, _AT_ONCE)
    return tuple(sorted(outcomes, key=lambda outcome: (str(outcome.source), str(outcome.target))))


def _without_claim(plan: Plan) -> list[Outcome]:
    lost = [given_up(lost, to) for lost in plan.lost for to in lost.destinations]
    return lost + [skipped(skip) for skip in plan.skips if skip.why is Why.KEPT]


def _failed(outcome: Outcome) -> Outcome:
    return replace(outcome, status=Status.FAILED, verified=False)


def _claims(plan: Plan) -> list[_Claim]:
    copies = [
        _Claim(
            to.target,
            to.reference,
            copy.landing.digest,
            copy.referrers,
            begun(copy, to),
            copy.only,
            to.before == copy.landing.digest,
        )
        for copy in plan.copies
        for to in copy.destinations
    ]
    return copies + [
        _Claim(
            skip.destination.target, skip.destination.reference, skip.digest, skip.referrers, skipped(skip), skip.only
        )
        for skip in plan.skips
        if skip.why is Why.UP_TO_DATE
    ]


class _Reader:
    """Reads targets; each blob of a repository once, however many images have it."""

    def __init__(self, places: Places, attempts: Attempts, *, deep: bool) -> None:
        self._places = places
        self._attempts = attempts
        self._deep = deep
        self._once = Once()
        self._seen: set[tuple[Place, Descriptor]] = set()

    async def checked(self, claim: _Claim) -> Outcome:
        """What is to be said about one destination."""
        outcome = replace(claim.outcome, status=Status.OK, digest=None, verified=False, failure=None)
        try:
            target = self._places.registry(claim.target).target(claim.reference.repository)
            found = await self._root(target, claim)
            outcome = replace(outcome, digest=found.digest)
            if found.digest != claim.digest:
                return replace(outcome, status=Status.DIFFERS)
            await self._whole(target, found, claim)
        except* Exception as group:  # noqa: BLE001 - a bug is told, and ends no other look
            outcome = _told(outcome, worst(group), claim)
        return replace(outcome, verified=outcome.status is Status.OK)

    async def _root(self, target: Target, claim: _Claim) -> Descriptor:
        name = claim.reference.tag or claim.digest
        return (await self._attempts.step(lambda: target.resolve(name))).descriptor

    async def _whole(self, target: Target, root: Descriptor, claim: _Claim) -> None:
        """Every manifest below `root`, then every blob that they name."""
        walk = Walk(target, self._attempts)
        graph = await walk.sparse(await walk.node(root), claim.only)
        if claim.referrers:
            graph = await walk.with_referrers(graph, graph.nodes)
        blobs = list(blobs_of(graph.nodes).values())
        await self._present(target, blobs, claim)
        if claim.lacking:
            raise NotFound(f"{claim.reference} lacks a manifest that refers to it at its source", hint=_SYNC)
        if self._deep:
            await for_each(blobs, lambda d: self._bytes(target, d), _BLOBS_AT_ONCE)

    async def _present(self, target: Target, blobs: Sequence[Descriptor], claim: _Claim) -> None:
        """See that they are there with their size; what was seen for another image is not asked about again."""
        unseen = [d for d in blobs if (target.place, d) not in self._seen]
        missing = await self._attempts.step(lambda: target.missing(unseen)) if unseen else []
        if missing:
            raise NotFound(f"{claim.reference} lacks {', '.join(str(d.digest) for d in missing)}", hint=_AGAIN)
        self._seen.update((target.place, d) for d in unseen)

    async def _bytes(self, target: Target, d: Descriptor) -> None:
        await self._once.get((target.place, d.digest), lambda: self._read(target, d))

    async def _read(self, target: Target, d: Descriptor) -> None:
        async with aclosing(Reading(target, d, self._attempts).chunks(lambda _count, _host: None)) as chunks:
            async for _ in chunks:
                pass


def _told(outcome: Outcome, error: SyncerError, claim: _Claim) -> Outcome:
    """What an error that was met while reading says about the image."""
    if isinstance(error, NotFound | RepositoryMissing):
        # A sync leaves alone what has the right tag, unless its planning sees that something is absent.
        settled = outcome.digest == claim.digest and not claim.lacking
        hint = _AGAIN if settled or error.hint == _AGAIN else _SYNC
        return replace(outcome, status=Status.MISSING, failure=replace(Failure.of(error), hint=hint))
    if isinstance(error, IntegrityError):
        damage = CorruptAtTarget(f"{claim.reference}: {error}", host=error.host)
        return replace(outcome, status=Status.CORRUPT, failure=Failure.of(damage))
    return replace(outcome, status=Status.FAILED, failure=Failure.of(error))
