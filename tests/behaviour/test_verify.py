"""`verify` reads the targets back, believes nothing, and says what is wrong with each image."""

import pytest
from builders import EMPTY, World, blob, hold, image, two_platforms

from syncer.errors import Unauthorized
from syncer.oci.names import Tag
from syncer.planning.make import make_plan
from syncer.planning.verify import verify
from syncer.report.events import unseen
from syncer.report.exit_code import exit_code
from syncer.report.model import Report, Run, Status
from syncer.settings.rules import Rule
from syncer.state.memory import MemoryState

RUN = Run("id", "verify", "2026-01-01T00:00:00+00:00", 1.0)


@pytest.fixture
def verified():
    async def run(world: World, *rules: Rule, deep: bool = False):
        plan = await make_plan(world.settings(*rules), world, MemoryState(), world.clock, world.attempts)
        outcomes = await verify(plan, world, world.attempts, unseen, deep=deep)
        return outcomes, exit_code(Report(RUN, outcomes))

    return run


@pytest.fixture
async def synced(world: World, sync):
    what = world.publish("app:1", two_platforms())
    await sync(world, world.rule("app", "1"))
    target = world.at("east", "library/app")
    target.calls.clear()
    return what, target


@pytest.mark.parametrize("deep", [False, True])
async def test_what_was_synced_is_ok(world: World, synced, verified, deep):
    (outcome,), code = await verified(world, world.rule("app", "1"), deep=deep)

    assert (outcome.status, outcome.digest, outcome.verified, code) == (Status.OK, synced[0].digest, True, 0)


async def test_deep_reads_every_blob_once(world: World, synced, verified):
    what, target = synced
    hold(world.at_source("app"), what, "2")
    target.named[Tag("2")] = what.digest

    await verified(world, world.rule("app", "1", "2"), deep=True)

    assert sorted(map(str, target.called("blob"))) == sorted(map(str, what.blobs))


async def test_a_tag_that_is_not_there_is_missing(world: World, synced, verified):
    del synced[1].named[Tag("1")]

    (outcome,), code = await verified(world, world.rule("app", "1"))

    assert (outcome.status, outcome.digest, code) == (Status.MISSING, None, 5)


async def test_a_tag_that_means_something_else_differs(world: World, synced, verified):
    other = hold(synced[1], image(blob("other")), "1")

    (outcome,), code = await verified(world, world.rule("app", "1"))

    assert (outcome.status, outcome.digest, outcome.source_digest, code) == (
        Status.DIFFERS,
        other.digest,
        synced[0].digest,
        5,
    )


async def test_a_blob_or_a_child_that_is_gone_is_missing(world: World, synced, verified):
    what, target = synced
    for digest in (what.nodes[0].layers[0].digest, what.nodes[1].descriptor.digest):
        target.lose(digest)

        (outcome,), code = await verified(world, world.rule("app", "1"))

        assert (outcome.status, code) == (Status.MISSING, 5)
        assert str(digest) in outcome.failure.message


async def test_what_a_sync_would_leave_alone_is_not_told_to_be_synced(world: World, synced, verified):
    what, target = synced
    target.lose(what.nodes[1].descriptor.digest)
    (child,), _ = await verified(world, world.rule("app", "1"))
    del target.named[Tag("1")]
    (tag,), _ = await verified(world, world.rule("app", "1"))

    assert child.failure.hint.startswith("delete the image at the target")
    assert tag.failure.hint == "run `syncer sync`"


async def test_an_altered_blob_is_found_by_reading_it(world: World, synced, verified):
    what, target = synced
    digest = what.nodes[0].layers[1].digest
    target.blobs[digest] = target.blobs[digest][:-1] + b"!"

    (outcome,), code = await verified(world, world.rule("app", "1"), deep=True)

    assert (outcome.status, outcome.failure.code, code) == (Status.CORRUPT, "E405", 4)
    assert str(digest) in outcome.failure.message


async def test_damage_to_one_image_is_no_damage_to_another(world: World, synced, verified, sync):
    what, target = synced
    world.publish("app:2", image(blob("another")))
    await sync(world, world.rule("app", "2"))
    digest = what.nodes[0].layers[1].digest
    target.blobs[digest] = b"altered"

    outcomes, _ = await verified(world, world.rule("app", "1", "2"), deep=True)

    assert [outcome.status for outcome in outcomes] == [Status.CORRUPT, Status.OK]


@pytest.mark.usefixtures("synced")
async def test_a_source_that_cannot_be_asked_leaves_the_question_open(world: World, verified):
    world.at_source("app").fail("resolve", Unauthorized("no"))

    (outcome,), code = await verified(world, world.rule("app", "1"))

    assert (outcome.status, outcome.verified, code) == (Status.FAILED, False, 3)


async def test_a_lost_referrer_is_missing(world: World, synced, verified, sync):
    what, target = synced
    sbom = hold(world.at_source("app"), image(blob("sbom"), config=EMPTY, subject=what))
    rule = world.rule("app", "1", referrers=True)
    await sync(world, rule)
    assert (await verified(world, rule))[1] == 0
    target.lose(sbom.digest)

    (outcome,), code = await verified(world, rule)

    assert (outcome.status, code) == (Status.MISSING, 5)
