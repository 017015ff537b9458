"""Two guards: what others wrote is not overwritten, and mirrors do not turn a tag back, unless told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from builders import World, blob, hold, image, two_platforms

from syncer.oci.platform import Platform
from syncer.oci.reference import Reference
from syncer.settings.rules import Platforms
from syncer.settings.terms import Overwrite, Rollback, Terms
from syncer.state.records import Confirmed

THEN = datetime(2025, 12, 1, tzinfo=UTC)
GUARDED = Terms()
SOURCE = Reference.parse_name("app:1")


def rule(world: World, terms: Terms = GUARDED, **more):
    return world.rule("app", "1", targets=["east"], terms=terms, **more)


def at_east(world: World, what) -> Reference:
    target = world.at("east", "library/app")
    hold(target, what, "1")
    return Reference.parse(f"{world.targets['east'].identity}/library/app:1")


def codes(made) -> list[tuple[str, bool]]:
    return [(lost.failure.code, lost.blocked) for lost in made.lost]


@pytest.fixture
def images(world: World):
    """What the source means now, and two others."""
    old, other = image(blob("old")), image(blob("other"))
    return world.publish("app:1", image(blob("new"))), old, other


async def test_a_tag_that_nobody_knows_of_is_left_alone(world: World, plan, images):
    at_east(world, images[2])

    made = await plan(rule(world))

    assert made.copies == ()
    assert codes(made) == [("E312", True)]
    assert "--overwrite" in made.lost[0].failure.hint


async def test_a_tag_that_was_ours_and_means_something_else_now_is_left_alone(world: World, plan, images, state):
    name = at_east(world, images[2])
    state.confirm(name, Confirmed(SOURCE, images[1].digest, images[1].digest, THEN))

    assert codes(await plan(rule(world))) == [("E312", True)]


async def test_a_tag_that_syncer_wrote_is_moved(world: World, plan, images, state):
    name = at_east(world, images[1])
    state.confirm(name, Confirmed(SOURCE, images[1].digest, images[1].digest, THEN))

    made = await plan(rule(world))

    assert [copy.root.digest for copy in made.copies] == [images[0].digest]
    assert made.lost == ()


async def test_a_tag_that_means_what_the_source_once_did_is_moved(world: World, plan, images, state):
    """A run that was killed between the tag and the note of it, or a registry that replicates another."""
    at_east(world, images[1])
    state.saw(SOURCE, images[1].digest, THEN)

    assert len((await plan(rule(world))).copies) == 1


async def test_a_smaller_index_of_what_the_source_once_was_is_ours(world: World, plan):
    old, only = two_platforms("old"), (Platform.parse("linux/amd64"),)
    platforms = Platforms(only)
    world.publish("app:1", old)
    first = await plan(rule(world, platforms=platforms))
    world.publish("app:1", two_platforms("new"))
    target = world.at("east", "library/app")
    hold(target, image(blob("something")), "0")
    target.current = _answering(first.copies[0].landing.digest)

    assert len((await plan(rule(world, platforms=platforms))).copies) == 1


def _answering(digest):
    async def current(tags):
        return dict.fromkeys(tags, digest)

    return current


async def test_what_may_be_overwritten_is(world: World, plan, images):
    at_east(world, images[2])

    made = await plan(rule(world, Terms(overwrite=Overwrite.ANY)))

    assert [to.before for copy in made.copies for to in copy.destinations] == [images[2].digest]


async def test_what_is_right_already_is_up_to_date_whoever_wrote_it(world: World, plan, images):
    at_east(world, images[0])

    made = await plan(rule(world))

    assert (len(made.skips), made.lost) == (1, ())


async def test_one_target_that_is_left_alone_does_not_stop_another(world: World, plan, images):
    at_east(world, images[2])

    made = await plan(world.rule("app", "1", terms=GUARDED))

    assert [to.target for copy in made.copies for to in copy.destinations] == ["west"]
    assert [to.target for lost in made.lost for to in lost.destinations] == ["east"]


# --- rolling back -------------------------------------------------------------------------------------------------


def by(world: World, whom: str) -> None:
    """From now on `whom` says what the source means."""
    source = world.at_source("app")
    resolve = type(source).resolve

    async def said(name):
        return replace(await resolve(source, name), by=whom)

    source.resolve = said


async def turned_back(world: World, plan, state, terms: Terms, whom: str):
    """The plan when `whom` says that the source means its first image again."""
    first, second = image(blob("first")), image(blob("second"))
    for what, saying in ((first, "origin"), (second, "origin"), (first, whom)):
        world.publish("app:1", what)
        by(world, saying)
        made = await plan(rule(world, terms))
    return made, [seen.digest for seen in state.seen(SOURCE)], first, second


@pytest.mark.parametrize("whom", ["agreement", "mirror"])
@pytest.mark.parametrize("rollback", [Rollback.ORIGIN, Rollback.REFUSE])
async def test_mirrors_do_not_turn_a_tag_back(world: World, plan, state, whom, rollback):
    made, seen, first, second = await turned_back(world, plan, state, Terms(rollback=rollback), whom)

    assert codes(made) == [("E603", True)]
    assert made.copies == ()
    assert str(first.digest) in made.lost[0].failure.message
    assert str(second.digest) in made.lost[0].failure.message
    assert seen == [second.digest, first.digest]  # a refused answer is not remembered as the latest


@pytest.mark.parametrize(
    ("rollback", "whom"), [(Rollback.ORIGIN, "origin"), (Rollback.ALLOW, "agreement"), (Rollback.ALLOW, "origin")]
)
async def test_who_may_turn_a_tag_back_does(world: World, plan, state, rollback, whom):
    made, seen, first, second = await turned_back(world, plan, state, Terms(rollback=rollback), whom)

    assert [copy.root.digest for copy in made.copies] == [first.digest]
    assert seen == [first.digest, second.digest]


async def test_nobody_turns_a_tag_back_where_that_is_refused(world: World, plan, state):
    made, *_ = await turned_back(world, plan, state, Terms(rollback=Rollback.REFUSE), "origin")

    assert codes(made) == [("E603", True)]


async def test_a_mirror_may_move_a_tag_on(world: World, plan, state):
    for name in ("first", "second", "third"):
        what = world.publish("app:1", image(blob(name)))
        by(world, "mirror")
        made = await plan(rule(world))

    assert [copy.root.digest for copy in made.copies] == [what.digest]
    assert len(state.seen(SOURCE)) == 3


async def test_a_target_that_has_it_already_is_up_to_date_though_a_mirror_turned_back(world: World, plan, state):
    first, second = image(blob("first")), image(blob("second"))
    state.saw(SOURCE, first.digest, THEN)
    state.saw(SOURCE, second.digest, THEN)
    world.publish("app:1", first)
    by(world, "mirror")
    at_east(world, first)

    made = await plan(rule(world))

    assert (len(made.skips), made.lost) == (1, ())
    assert state.seen(SOURCE)[0].digest == second.digest
