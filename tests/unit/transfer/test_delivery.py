"""One delivery: what it asks and puts, in which order, and what it leaves known to those that come after it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from builders import Image, World, blob, complete, hold, image, index, two_platforms

from syncer.content.places import Traits
from syncer.errors import LandedDiffers, ManifestRefused, ServerError, SyncerError
from syncer.oci.names import Tag
from syncer.oci.reference import Reference
from syncer.plan.model import Destination
from syncer.report.events import unseen
from syncer.transfer.delivery import Delivery
from syncer.transfer.feed import Feed
from syncer.transfer.graph import Graph
from syncer.transfer.shared import Shared
from syncer.transfer.tuning import Tuning

if TYPE_CHECKING:
    from syncer.content.memory import MemoryTarget

REFERENCE = Reference.parse("east.example/library/app:1")
SOURCE = Reference.parse("app:1")


@pytest.fixture
def world() -> World:
    return World("east")


@pytest.fixture
def east(world: World) -> MemoryTarget:
    return world.at("east", "library/app")


@asynccontextmanager
async def sharing(world: World):
    tuning = Tuning(gather=0)
    async with asyncio.TaskGroup() as readers:
        yield Shared(world.attempts, Feed(world.attempts, unseen, tuning, readers), tuning)


def delivery(world: World, shared: Shared, what: Image, before=None, reference: Reference = REFERENCE) -> Delivery:
    world.publish("app:1", what)
    to = Destination("east", reference, before)
    return Delivery(shared, Graph(what.root, what.nodes), (world.at_source("app"), SOURCE), world.registry("east"), to)


async def run(world: World, what: Image, **to) -> Delivery:
    async with sharing(world) as shared:
        made = delivery(world, shared, what, **to)
        await made.run()
    return made


async def failure(world: World, what: Image, kind: type[SyncerError]) -> tuple[Delivery, SyncerError]:
    """A delivery that failed, and how."""
    async with sharing(world) as shared:
        made = delivery(world, shared, what)
        with pytest.raises(kind) as error:
            await made.run()
    return made, error.value


def occupied(shared: Shared) -> Shared:
    """As planning says it of a repository where it saw a tag."""
    shared.occupied.add(("east", REFERENCE.repository))
    return shared


def digests(what: Image) -> list[object]:
    return [node.descriptor.digest for node in what.nodes]


def most_at_once(east: MemoryTarget, verb: str) -> list[int]:
    """A list whose last number is how many calls of `verb` were under way at the same time at most."""
    under_way, most = 0, [0]
    inner = getattr(east, verb)

    async def counted(*args):
        nonlocal under_way
        under_way += 1
        most.append(max(most[-1], under_way))
        await asyncio.sleep(0.002)
        try:
            return await inner(*args)
        finally:
            under_way -= 1

    setattr(east, verb, counted)
    return most


async def test_children_then_the_tag_then_a_look(world, east):
    what = two_platforms()

    made = await run(world, what)

    assert east.called("put_manifest") == [*digests(what)[:-1], Tag("1")]
    assert [verb for verb, _ in east.calls[-4:]] == ["put_manifest", "put_manifest", "put_manifest", "resolve"]
    assert east.calls[-1] == ("resolve", Tag("1"))
    assert (made.tally.moved, made.tally.reused, made.attempts) == (sum(map(len, what.blobs.values())), 0, 1)
    assert complete(east)


async def test_a_root_that_others_refer_to_stands_before_them_and_its_tag_comes_last(world, east):
    what = image(blob("app"))
    signed = image(blob("signature"), subject=what)
    both = Image(what.root, (what.root, signed.root), what.blobs | signed.blobs)

    await run(world, both)

    assert east.called("put_manifest") == [what.digest, signed.digest, Tag("1")]


async def test_without_a_tag_the_root_is_put_by_its_digest(world, east):
    what = two_platforms()

    await run(world, what, reference=Reference.parse(f"east.example/library/app@{what.digest}"))

    assert east.called("put_manifest") == digests(what)
    assert east.calls[-1] == ("resolve", what.digest)
    assert east.named == {}


async def test_what_planning_saw_no_sign_of_is_not_asked_for(world, east):
    what = two_platforms()
    hold(east, image(blob("older")), "0")

    await run(world, what)

    assert east.called("absent") == []


async def test_in_a_repository_that_the_run_created_nothing_is_asked_for(world, east):
    what = two_platforms()
    async with sharing(world) as shared:
        await delivery(world, occupied(shared), what).run()

    assert (east.called("absent"), east.called("missing")) == ([], [])


@pytest.mark.parametrize("batches", [False, True])
async def test_what_may_be_there_is_asked_for_once_and_not_put_again(world, east, batches):
    world.targets["east"].traits = Traits(batches=batches)
    child = image(blob("child"))
    what = index(child, image(blob("other")))
    hold(east, child)
    async with sharing(world) as shared:
        made = delivery(world, shared if batches else occupied(shared), what)
        await made.run()
        again = delivery(world, shared, what, reference=Reference.parse("east.example/library/app:2"))
        await again.run()

    assert east.called("absent") == [tuple(digests(what))]
    assert east.called("put_manifest") == [digests(what)[1], Tag("1"), Tag("2")]
    assert made.tally.reused == sum(map(len, child.blobs.values()))
    assert (again.tally.moved, again.tally.reused) == (0, sum(map(len, what.blobs.values())))
    assert set(east.called("put_blob")).isdisjoint(child.blobs)


async def test_a_blob_that_a_lacking_manifest_needs_is_seen_to_even_if_another_has_it(world, east):
    shared_layer = blob("shared")
    child = image(shared_layer, blob("child"))
    what = index(child, image(shared_layer, blob("other")))
    hold(east, child)
    async with sharing(world) as shared:
        made = delivery(world, occupied(shared), what)
        await made.run()

    assert child.root.layers[0].digest in east.called("put_blob")
    assert made.tally.moved + made.tally.reused == sum(map(len, what.blobs.values()))


@pytest.mark.parametrize(
    ("there", "means", "put"), [(True, True, []), (True, False, [Tag("1")]), (False, True, [Tag("1")])]
)
async def test_a_tag_is_put_unless_it_means_what_is_there(world, east, there, means, put):
    what = image(blob("app"))
    hold(east, what if there else image(blob("older")), "1")
    async with sharing(world) as shared:
        await delivery(world, occupied(shared), what, before=what.digest if means else None).run()

    assert east.called("put_manifest") == put
    assert east.calls[-1] == ("resolve", Tag("1"))


async def test_eight_manifests_are_put_at_once_which_refer_to_no_other(world, east):
    most = most_at_once(east, "put_manifest")

    await run(world, index(*(image(blob(str(number))) for number in range(12))))

    assert most[-1] == 8


async def test_indexes_are_put_one_after_the_other(world, east):
    what = index(*(index(hold(east, image(blob(str(number))))) for number in range(4)))
    most = most_at_once(east, "put_manifest")
    async with sharing(world) as shared:
        await delivery(world, occupied(shared), what).run()

    assert (most[-1], len(east.called("put_manifest"))) == (1, 5)


async def test_a_manifest_that_two_need_is_put_once_and_other_manifests_do_not_wait(world, east):
    child = image(blob("child"))
    first, second = index(child, image(blob("a"))), index(child, image(blob("b")))
    most = most_at_once(east, "put_manifest")
    async with sharing(world) as shared, asyncio.TaskGroup() as both:
        both.create_task(delivery(world, shared, first).run())
        second_tag = Reference.parse("east.example/library/app:2")
        both.create_task(delivery(world, shared, second, reference=second_tag).run())

    assert east.called("put_manifest").count(child.digest) == 1
    assert most[-1] > 1
    assert complete(east)


async def test_one_root_is_put_and_looked_at_by_one_at_a_time(world, east):
    what = image(blob("app"))
    most = most_at_once(east, "put_manifest")
    looks = most_at_once(east, "resolve")
    async with sharing(world) as shared, asyncio.TaskGroup() as several:
        for tag in "1234":
            reference = Reference.parse(f"east.example/library/app:{tag}")
            several.create_task(delivery(world, shared, what, reference=reference).run())

    assert (most[-1], looks[-1]) == (1, 1)
    assert len(east.named) == 4


async def test_roots_of_their_own_are_put_at_the_same_time(world, east):
    most = most_at_once(east, "put_manifest")
    async with sharing(world) as shared, asyncio.TaskGroup() as several:
        for tag in "1234":
            reference = Reference.parse(f"east.example/library/app:{tag}")
            several.create_task(delivery(world, shared, image(blob(tag)), reference=reference).run())

    assert most[-1] > 1


async def test_a_tag_that_means_something_else_afterwards_is_an_error(world, east):
    what, other = image(blob("app")), hold(east, image(blob("other")))

    async def moved(verb: str, _what: object) -> None:
        if verb == "resolve":
            east.named[Tag("1")] = other.digest

    east.before = moved
    _, error = await failure(world, what, LandedDiffers)

    assert str(error) == f"east.example/library/app:1 means {other.digest} after {what.digest} was put"
    assert error.host == "east.example"


async def test_a_layer_that_was_lost_meanwhile_is_brought_again(world, east):
    what = image(blob("app"))
    lost = what.root.layers[0].digest

    async def collect(verb: str, _what: object) -> None:
        if verb == "put_manifest" and len(east.called("put_manifest")) == 1:
            east.lose(lost)

    east.before = collect
    made = await run(world, what)

    assert east.called("put_blob").count(lost) == 2
    assert east.called("put_manifest") == [Tag("1"), Tag("1")]
    assert made.tally.moved > sum(map(len, what.blobs.values()))
    assert complete(east)


async def test_a_manifest_that_is_refused_though_nothing_is_lost_stays_refused(world, east):
    east.fail("put_manifest", ManifestRefused("no"))

    await failure(world, image(blob("app")), ManifestRefused)

    assert (len(east.called("missing")), len(east.called("put_manifest"))) == (1, 1)
    assert east.named == {}


async def test_an_index_whose_child_was_lost_meanwhile_is_refused(world, east):
    child = image(blob("app"))

    async def collect(verb: str, asked: object) -> None:
        if (verb, asked) == ("put_manifest", Tag("1")):
            east.lose(child.digest)

    east.before = collect
    await failure(world, index(child), ManifestRefused)

    assert (len(east.called("missing")), len(east.called("put_manifest"))) == (0, 2)
    assert east.named == {}


async def test_each_step_that_is_repeated_counts_as_an_attempt(world, east):
    for verb in ("put_blob", "put_manifest", "resolve"):
        east.fail(verb, ServerError("503"))

    made = await run(world, image(blob("app")))

    assert made.attempts == 4


async def test_what_was_delivered_is_known_to_be_there_and_may_be_mounted(world, east):
    what = two_platforms()
    async with sharing(world) as shared:
        await delivery(world, shared, what).run()

        for digest in [*what.blobs, *digests(what)]:
            assert shared.holdings.elsewhere("east.example", digest, committed=True) == east.place


async def test_what_was_found_there_is_known_to_be_committed(world, east):
    child = image(blob("child"))
    what = index(child, image(blob("other")))
    hold(east, child)
    async with sharing(world) as shared:
        await delivery(world, occupied(shared), what).run()

        assert shared.holdings.elsewhere("east.example", child.digest, committed=True) == east.place


async def test_who_fails_is_not_waited_for(world, east):
    east.fail("put_manifest", *[ServerError("503")] * 20)
    made, _ = await failure(world, image(blob("app")), ServerError)

    assert made._blobs.committed.is_set()
    assert east.named == {}
