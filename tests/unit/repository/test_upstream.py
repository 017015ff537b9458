"""What is known in common about one origin or mirror."""

from __future__ import annotations

import asyncio

import pytest

from syncer.clock import SteppedClock
from syncer.errors import CorruptContent, Denied, NotFound, ProtocolViolation, Silent, TimedOut, Unreachable
from syncer.oci.origin import Origin
from syncer.registry.hosts import Hosts
from syncer.registry.upstream import STRIKES, Branch, Upstream, in_turn
from syncer.settings.registries import Endpoint, Limits, MirrorSettings

ORIGIN = "origin.example"


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def hosts(clock):
    return Hosts(clock)


def origin(hosts):
    return Upstream(Endpoint(Origin.parse(ORIGIN)), hosts)


def mirror(hosts, name="mirror.example", in_flight=8):
    endpoint = Endpoint(Origin.parse(name), limits=Limits(in_flight))
    return Upstream(endpoint, hosts, MirrorSettings(endpoint))


def answering(value):
    """A question that is answered with `value`, or raises it; `asked` counts."""

    async def question(*_):
        question.asked += 1
        await asyncio.sleep(0)
        if isinstance(value, Exception):
            raise value
        return value

    question.asked = 0
    return question


async def outcomes(upstream, question, count):
    return await asyncio.gather(*(upstream.ask(question) for _ in range(count)), return_exceptions=True)


async def test_of_fifty_who_ask_a_silent_origin_one_waits_and_all_know(hosts):
    question = answering(TimedOut("no answer", host=ORIGIN))
    upstream = origin(hosts)

    errors = await outcomes(upstream, question, 50)

    assert question.asked == 1
    assert sorted({type(error) for error in errors}, key=str) == [Silent, TimedOut]
    assert not upstream.usable


async def test_a_token_service_that_is_silent_makes_its_registry_silent(hosts):
    question = answering(TimedOut("no answer", host="auth.example"))
    hosts.of(ORIGIN).answered = True

    await outcomes(origin(hosts), question, 50)

    assert question.asked == 1


async def test_one_that_stops_in_the_middle_is_not_silent(hosts):
    question = answering(TimedOut("no byte came", host=ORIGIN))
    hosts.of(ORIGIN).answered = True

    await outcomes(origin(hosts), question, 3)

    assert question.asked == 3


@pytest.mark.parametrize("answer", ["fine", NotFound("no"), Unreachable("refused")], ids=repr)
async def test_any_other_first_answer_lets_the_others_ask(hosts, answer):
    question = answering(answer)

    await outcomes(origin(hosts), question, 5)

    assert question.asked == 5


async def test_a_first_contact_that_is_cancelled_says_nothing(hosts):
    upstream, question = origin(hosts), answering("fine")
    first = asyncio.ensure_future(upstream.ask(lambda: asyncio.sleep(60)))
    waiting = asyncio.ensure_future(upstream.ask(question))
    await asyncio.sleep(0)

    first.cancel()

    assert await waiting == "fine"


async def test_a_mirror_that_gives_no_answers_three_times_in_a_row_is_left_alone(hosts):
    upstream = mirror(hosts)
    branch = Branch(upstream, source=None)

    for answers in (STRIKES - 1) * [ProtocolViolation("page")] + ["fine"] + STRIKES * [ProtocolViolation("page")]:
        assert upstream.usable
        await asyncio.gather(branch.ask(answering(answers)), return_exceptions=True)

    assert not upstream.usable
    assert "page" in hosts.of("mirror.example").blamed


async def test_wrong_bytes_put_a_mirror_out_at_once_and_an_origin_never(hosts):
    for upstream, usable in ((mirror(hosts), False), (origin(hosts), True)):
        with pytest.raises(CorruptContent):
            await Branch(upstream, source=None).ask(answering(CorruptContent("wrong")))

        assert upstream.usable is usable


async def test_a_mirror_that_lets_nobody_in_is_left_alone_for_that_repository(hosts):
    upstream = mirror(hosts)
    refused, other = Branch(upstream, source=None), Branch(upstream, source=None)

    with pytest.raises(Denied):
        await refused.ask(answering(Denied("no")))

    assert (refused.usable, other.usable) == (False, True)


def names(*upstreams, avoid=()):
    branches = [Branch(upstream, source=None) for upstream in upstreams]
    return [branch.upstream.host for branch in in_turn(branches, frozenset(avoid))]


async def test_mirrors_come_in_the_order_of_the_file_and_the_origin_last(hosts):
    assert names(origin(hosts), mirror(hosts, "b.example"), mirror(hosts, "a.example")) == [
        "b.example",
        "a.example",
        ORIGIN,
    ]


async def test_load_counts_by_what_a_mirror_may_be_given(hosts):
    small, large = mirror(hosts, "small.example", 2), mirror(hosts, "large.example", 100)
    hosts.of("small.example").load, hosts.of("large.example").load = 1, 10

    assert names(small, large) == ["large.example", "small.example"]


async def test_those_that_rest_come_after_the_origin_until_their_time_is_over(hosts, clock):
    waiting = mirror(hosts)
    hosts.of("mirror.example").closed_until = 30.0
    assert names(waiting, origin(hosts)) == [ORIGIN, "mirror.example"]

    clock.advance(31)

    assert names(waiting, origin(hosts)) == ["mirror.example", ORIGIN]


async def test_those_that_break_off_come_after_their_neighbours_then_after_the_origin(hosts):
    flaky, good = mirror(hosts, "flaky.example"), mirror(hosts, "good.example")
    flaky.stumbled()
    assert names(flaky, good, origin(hosts)) == ["good.example", "flaky.example", ORIGIN]

    for _ in range(STRIKES):
        flaky.stumbled()
    assert names(flaky, good, origin(hosts)) == ["good.example", ORIGIN, "flaky.example"]

    flaky.arrived()
    assert names(flaky, good, origin(hosts)) == ["flaky.example", "good.example", ORIGIN]


async def test_while_nobody_knows_whether_a_mirror_is_there_the_next_is_asked(hosts):
    first, second = mirror(hosts, "first.example"), mirror(hosts, "second.example")
    contact = asyncio.ensure_future(first.ask(lambda: asyncio.sleep(0.05)))
    await asyncio.sleep(0)

    assert names(first, second) == ["second.example", "first.example"]

    await contact
    assert names(first, second) == ["first.example", "second.example"]


async def test_those_to_be_avoided_are_not_among_them(hosts):
    assert names(mirror(hosts), origin(hosts), avoid={"mirror.example"}) == [ORIGIN]
