"""Blobs on their way to one place: present, mounted, or sent; each once per registry, however many images need it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from syncer.content.places import Landed
from syncer.transfer.crowd import for_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from syncer.content.places import Place, Registry, Source, Target
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.reference import Reference
    from syncer.transfer.feed import Fed
    from syncer.transfer.shared import Shared
    from syncer.transfer.steps import Steps


@dataclass(slots=True)
class Tally:
    """What a delivery moved."""

    moved: int = 0
    reused: int = 0
    via: set[str] = field(default_factory=set)


class Blobs:
    """The blobs of one delivery, and what came of them."""

    def __init__(
        self, shared: Shared, steps: Steps, origin: tuple[Source, Reference], registry: Registry, target: Target
    ) -> None:
        self.tally = Tally()
        self.committed = asyncio.Event()  # it has ended: manifests that refer to its blobs are there, or never
        self.fresh = False  # the repository was created in this run: what is not known to be there is not there
        self._shared = shared
        self._steps = steps
        self._origin = origin
        self._registry = registry
        self._target = target
        self._number = shared.leaders.next_number()
        self._expected: dict[Digest, None] = {}
        self._sent: list[Descriptor] = []

    @property
    def _place(self) -> Place:
        return self._target.place

    # whom a read waits for

    def expect(self, digests: Iterable[Digest]) -> None:
        """These may have to be sent: reads of them wait a moment for this target."""
        self._expected = dict.fromkeys(digests)
        self._shared.feed.expect(self._expected, self._place.registry)

    def settle(self, digests: Iterable[Digest], *, landed: bool = True) -> None:
        """Nobody need wait for this target because of these any more: they are there, if they `landed`."""
        for digest in [digest for digest in digests if digest in self._expected]:
            del self._expected[digest]
            self._shared.feed.settled(digest, self._place.registry, landed=landed)

    def commit(self) -> None:
        """The manifests that refer to the blobs are at the target: so others may mount and read them there."""
        for d in self._sent:
            self._shared.feed.own(d, self._target)
        self.committed.set()

    def end(self) -> None:
        """The delivery is over, one way or the other: nobody need wait for it."""
        self.settle(list(self._expected), landed=False)
        self.committed.set()

    # what is there

    def count_present(self, blobs: dict[Digest, Descriptor]) -> None:
        """These are there, with a manifest that refers to them."""
        self._shared.holdings.add(self._place, blobs, committed=True)
        self.tally.reused += sum(d.size for d in blobs.values())
        self.settle(blobs)

    async def ask(self, blobs: Sequence[Descriptor]) -> None:
        """Find out which of them are there, where one request says so of many."""
        holdings = self._shared.holdings
        unknown = holdings.unknown(self._place, blobs)
        if self.fresh or not unknown or not self._registry.traits.batches:
            return
        missing = {d.digest for d in await self._steps.step(lambda: self._target.missing(unknown))}
        holdings.add(self._place, [d.digest for d in unknown if d.digest not in missing], committed=False)

    async def mend(self, blobs: Sequence[Descriptor]) -> bool:
        """Bring again what was lost since it was there; whether anything was.

        It waits for no other delivery: that one may want the manifest that the caller is busy with.
        """
        lost = await self._steps.step(lambda: self._target.missing(blobs))
        self._shared.holdings.miss(self._place, [d.digest for d in lost])
        await for_each(lost, partial(self._bring_one, patient=False), self._shared.tuning.per_image)
        return bool(lost)

    # bringing them

    async def bring(self, blobs: Sequence[Descriptor]) -> None:
        """See that all of them are there."""
        largest_first = sorted(blobs, key=lambda d: d.size, reverse=True)
        await for_each(largest_first, self._bring_one, self._shared.tuning.per_image)

    async def _bring_one(self, d: Descriptor, *, patient: bool = True) -> None:
        """Of all who need `d` at this registry one at a time sees to it; who comes later finds it, or mounts it.

        Who is `patient` waits with no lock in hand, and only for deliveries that began earlier: no circle can close.
        """
        while True:
            async with self._shared.locks.held((self._place.registry, d.digest)):
                earlier = self._worth_waiting_for(d) if patient else None
                if earlier is None:
                    await self._present(d)
                    self.settle([d.digest])
                    return
            self.settle([d.digest], landed=False)
            await earlier.wait()

    def _worth_waiting_for(self, d: Descriptor) -> asyncio.Event | None:
        """The end of an earlier delivery that brought `d`, where nobody can mount or read it before that (ECR)."""
        registry = self._place.registry
        if self._registry.traits.mounts_uncommitted or self._shared.holdings.has(self._place, d.digest):
            return None
        small = d.size <= self._shared.tuning.shelved  # its bytes are at hand: only a mount could save something
        if small and registry in self._shared.mountless:
            return None
        return self._shared.leaders.earlier((registry, d.digest), self._number)

    async def _present(self, d: Descriptor) -> None:
        """Make `d` present: known to be there, mounted, or sent."""
        if self._shared.holdings.has(self._place, d.digest):
            self.tally.reused += d.size
            return
        content = self._shared.feed.content(d, self._origin, self._place.registry)
        mount_from = self._mount_from(d.digest)
        async with self._shared.turns(self._place.registry).one(self._number):
            landed = await self._steps.step(lambda: self._target.put_blob(d, content, mount_from), content)
        self._shared.holdings.add(self._place, [d.digest], committed=False)
        if landed is Landed.UPLOADED:
            self._count_sent(d, content, mount_from)
        else:
            self.tally.reused += d.size

    def _count_sent(self, d: Descriptor, content: Fed, mount_from: Sequence[Place]) -> None:
        self.tally.moved += d.size
        self.tally.via |= content.hosts
        self._sent.append(d)
        self._shared.leaders.lead((self._place.registry, d.digest), self._number, self.committed)
        if mount_from and mount_from[0] != self._place:
            self._shared.mountless.add(self._place.registry)

    def _mount_from(self, digest: Digest) -> tuple[Place, ...]:
        """A place that has the blob; else, where nobody has asked yet, this one: the answer is free."""
        traits, source = self._registry.traits, self._origin[0].place
        committed = not traits.mounts_uncommitted
        elsewhere = self._shared.holdings.elsewhere(self._place.registry, digest, committed=committed)
        if elsewhere is None and source.registry == self._place.registry:
            elsewhere = source
        if elsewhere is not None:
            return (elsewhere,)
        return () if self.fresh or traits.batches else (self._place,)
