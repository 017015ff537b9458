"""The gate: slots, rate, closing time, and what is counted."""

import asyncio
import time
from contextlib import nullcontext

import pytest

from syncer.clock import SystemClock
from syncer.errors import PullBudgetSpent, ServerError, Silent, TimedOut, TooManyRequests, Unreachable
from syncer.oci.names import Origin
from syncer.registry.hosts import Hosts
from syncer.registry.http import Access, Body, Request
from syncer.registry.throttle import Gates, Throttled
from syncer.settings.bandwidth import Timetable
from syncer.settings.registries import Limits

OTHER = Origin("https", "mirror.example", 443)


class World:
    """One gate around a scripted client."""

    def __init__(self, clock, inner, origin, limits=None):
        self.hosts = Hosts(clock)
        self.gates = Gates(self.hosts, clock)
        self.gates.limit(origin, limits or Limits())
        self.client = Throttled(inner, self.gates)
        self.origin = origin
        self.record = self.hosts.of(origin.netloc)

    async def get(self, origin=None, access=Access.PULL, hold=0.0):
        async with self.client.send(Request("GET", origin or self.origin, "/v2/", access=access)) as response:
            await asyncio.sleep(hold)
            return response.status, await response.read(100)


async def test_no_more_are_open_than_there_are_slots(scripted, answer, origin, clock):
    inner = scripted(lambda _: answer())
    world = World(clock, inner, origin, Limits(in_flight=3))

    await asyncio.gather(*(world.get(hold=0.01) for _ in range(10)))

    assert (len(inner.sent), inner.most_open, inner.open) == (10, 3, 0)


async def test_pull_and_push_have_slots_of_their_own(scripted, answer, origin, clock):
    world = World(clock, scripted(lambda _: answer()), origin, Limits(in_flight=1))

    async with world.client.send(Request("GET", origin, "/v2/")):
        async with asyncio.timeout(1):
            assert (await world.get(access=Access.PUSH))[0] == 200


async def test_a_slot_is_free_again_after_an_error_and_after_a_cancellation(scripted, answer, origin, clock):
    answers = iter([Unreachable("gone"), asyncio.CancelledError(), None])

    def fail(_request):
        error = next(answers)
        if error:
            raise error
        return answer()

    world = World(clock, scripted(fail), origin, Limits(in_flight=1))
    for kind in (Unreachable, asyncio.CancelledError):
        with pytest.raises(kind):
            await world.get()

    assert (await world.get())[0] == 200
    assert world.record.load == 0


async def test_two_clients_of_a_host_share_the_stricter_limits(scripted, answer, origin, clock):
    inner = scripted(lambda _: answer())
    world = World(clock, inner, origin, Limits(in_flight=8))
    world.gates.limit(origin, Limits(in_flight=2, per_second=1000))
    second = Throttled(inner, world.gates)

    async def get():
        async with second.send(Request("GET", origin, "/v2/")):
            await asyncio.sleep(0.01)

    await asyncio.gather(*(world.get(hold=0.01) for _ in range(4)), *(get() for _ in range(4)))

    assert inner.most_open == 2


@pytest.mark.parametrize(("per_second", "count", "seconds"), [(10, 15, 1.0), (0.5, 1, 0.0), (4, 5, 1.0)])
async def test_no_more_start_than_the_rate_allows(scripted, answer, origin, per_second, count, seconds):
    world = World(SystemClock(), scripted(lambda _: answer()), origin, Limits(per_second=per_second))

    started = time.monotonic()
    await asyncio.gather(*(world.get() for _ in range(count)))

    assert seconds <= time.monotonic() - started < seconds + 0.8


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_closes_the_gate_of_a_host_for_everyone(scripted, answer, origin, clock, status):
    answers = {origin: [answer(status, Retry_After="30"), answer(), answer()], OTHER: [answer()]}
    world = World(clock, scripted(lambda request: answers[request.origin].pop(0)), origin)

    assert (await world.get())[0] == status
    assert (await world.get(OTHER))[0] == 200
    assert clock.slept == []
    assert (await world.get(access=Access.PUSH))[0] == 200

    assert clock.slept == [30.0]


async def test_a_host_that_asks_for_an_hour_is_left_alone(scripted, answer, origin, clock):
    inner = scripted(lambda _: answer(429, Retry_After="3600"))
    world = World(clock, inner, origin)
    await world.get()

    with pytest.raises(TooManyRequests) as caught:
        await world.get()

    assert caught.value.retry_after == 3600
    assert (len(inner.sent), clock.slept) == (1, [])


async def test_a_429_without_a_time_closes_nothing(scripted, answer, origin, clock):
    world = World(clock, scripted(lambda _: answer(429, Retry_After="soon")), origin)

    await world.get()
    await world.get()

    assert clock.slept == []


async def test_requests_and_bytes_are_counted_by_host(scripted, answer, origin, clock):
    world = World(clock, scripted(lambda _: answer(200, b"12345")), origin)

    await world.get()
    await world.get(OTHER)
    await world.get(OTHER)

    lines = {line.host: (line.requests, line.received) for line in world.hosts.lines()}
    assert lines == {"registry.example": (1, 5), "mirror.example": (2, 10)}


@pytest.mark.parametrize("before", [[], ["answer"]], ids=["at first contact", "later"])
async def test_only_a_host_that_timed_out_at_first_contact_is_not_asked_again(scripted, answer, origin, clock, before):
    """Law 5."""
    script = [answer() for _ in before] + [TimedOut("late"), answer()]

    def next_answer(_request):
        found = script.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    world = World(clock, scripted(next_answer), origin)
    for _ in before:
        await world.get()
    with pytest.raises(TimedOut):
        await world.get()

    if before:
        await world.get()
    else:
        with pytest.raises(Silent):
            await world.get()
    assert len(script) == (0 if before else 1)


async def test_failures_open_the_breaker_and_answers_close_it(scripted, answer, origin, clock):
    world = World(clock, scripted(lambda _: answer(500)), origin)
    for _ in range(5):
        await world.get()

    assert world.record.breaker.shut


async def test_a_body_that_breaks_off_counts_against_its_host(scripted, answer, origin, clock):
    broken = answer(200, b"123")
    broken.failure = ServerError("the connection broke")
    world = World(clock, scripted(lambda _: broken), origin)
    for _ in range(5):
        with pytest.raises(ServerError):
            await world.get()

    assert world.record.breaker.shut


async def test_what_a_registry_says_of_itself_is_noted(scripted, answer, origin, clock):
    said = answer(RateLimit_Remaining="76;w=21600", Warning=['299 - "ends soon"', '299 - "ends soon"', "x"])
    world = World(clock, scripted(lambda _: said), origin)
    await world.get()
    await world.get()

    assert world.record.pulls_left == (76, 21600)
    assert world.hosts.warnings() == ("registry.example: ends soon",)


async def test_a_host_that_does_nothing_but_time_out_for_minutes_is_left_alone(scripted, answer, origin, clock):
    """Law 5: a target that freezes in the middle must not hold up the run for hours."""
    answers = [answer()]

    def frozen(_request):
        if answers:
            return answers.pop()
        raise TimedOut("late")

    world = World(clock, scripted(frozen), origin)
    await world.get()
    for _ in range(3):
        with pytest.raises(TimedOut, match="late"):
            await world.get()
        clock.advance(61)

    with pytest.raises(Silent, match="has not answered for"):
        await world.get()


async def test_one_answer_among_timeouts_makes_up_for_them(scripted, answer, origin, clock):
    script = [answer(), TimedOut("late"), answer(), TimedOut("late"), answer()]

    def next_answer(_request):
        found = script.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    world = World(clock, scripted(next_answer), origin)
    for position in range(5):
        clock.advance(100)
        with pytest.raises(TimedOut) if position % 2 else nullcontext():
            await world.get()
    assert script == []


async def test_small_requests_do_not_wait_behind_blobs(scripted, answer, origin, clock):
    world, done = World(clock, scripted(lambda _: answer()), origin, Limits(in_flight=4)), asyncio.Event()

    async def blob():
        async with world.client.send(Request("GET", origin, "/v2/a/blobs/x", bulk=True)):
            await done.wait()

    async with asyncio.TaskGroup() as group:
        blobs = [group.create_task(blob()) for _ in range(20)]
        await asyncio.sleep(0)
        async with asyncio.timeout(1):
            assert (await world.get())[0] == 200
        done.set()
    assert all(task.done() for task in blobs)


async def test_blobs_and_small_requests_together_keep_to_the_limit(scripted, answer, origin, clock):
    inner = scripted(lambda _: answer())
    world = World(clock, inner, origin, Limits(in_flight=4))

    async def blob():
        async with world.client.send(Request("GET", origin, "/v2/a/blobs/x", bulk=True)):
            await asyncio.sleep(0.01)

    await asyncio.gather(*(blob() for _ in range(10)), *(world.get(hold=0.01) for _ in range(10)))

    assert (len(inner.sent), inner.most_open) == (20, 4)


async def test_a_host_with_one_slot_serves_blobs_too(scripted, answer, origin, clock):
    world = World(clock, scripted(lambda _: answer()), origin, Limits(in_flight=1))

    async with world.client.send(Request("GET", origin, "/v2/a/blobs/x", bulk=True)) as response:
        assert response.status == 200


async def refused_together(world, statuses, count):
    """How many are in flight after `count` requests that all began before the first was refused."""
    open_now, most = 0, 0

    async def one():
        nonlocal open_now, most
        async with world.client.send(Request("GET", world.origin, "/v2/")):
            open_now += 1
            most = max(most, open_now)
            await asyncio.sleep(0.01)
            open_now -= 1

    await asyncio.gather(*(one() for _ in range(count)))
    statuses.extend([200] * 1000)
    most = 0
    await asyncio.gather(*(one() for _ in range(count)))
    return most


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_two_hundred_refusals_together_halve_what_is_in_flight_once(scripted, answer, origin, clock, status):
    statuses, together = [status] * 200, asyncio.Barrier(200)

    async def respond(_request):
        if statuses[0] == status:
            await together.wait()
        return answer(statuses.pop(0))

    world = World(clock, scripted(respond), origin, Limits(in_flight=200))

    assert await refused_together(world, statuses, 200) == 100


async def test_what_waits_for_bandwidth_is_no_fault_of_the_host(scripted, answer, origin, clock):
    """The body is whole, and the time in the bucket is ours."""
    world = World(clock, scripted(lambda _: answer(200, bytes(1_000_000))), origin)
    world.client = Throttled(
        scripted(lambda _: answer(200, bytes(1_000_000))),
        world.gates,
        world.gates.bandwidths.of(origin.netloc, Timetable.parse("10k")),
    )
    async with world.client.send(Request("GET", origin, "/v2/a/blobs/x", bulk=True)) as response:
        assert sum([len(piece) async for piece in response.chunks()]) == 1_000_000

    assert 90 <= clock.monotonic() <= 101
    assert not world.record.breaker.shut


async def test_a_body_that_is_sent_keeps_the_bandwidth(scripted, answer, origin, clock):
    sent = []

    async def swallow(request):
        sent.extend([len(piece) async for piece in request.body.open()])
        return answer(201)

    gates = Gates(Hosts(clock), clock)
    client = Throttled(scripted(swallow), gates, gates.bandwidths.of(origin.netloc, Timetable.parse("100k")))

    async def body():
        yield bytes(1_000_000)

    put = Request("PUT", origin, "/v2/a/blobs/uploads/1", body=Body(1_000_000, body), access=Access.PUSH, bulk=True)
    async with client.send(put):
        assert sum(sent) == 1_000_000

    assert 8 <= clock.monotonic() <= 10.1


async def test_a_pull_that_the_budget_has_no_room_for_is_not_sent(scripted, answer, origin, clock):
    inner = scripted(lambda _: answer(RateLimit_Remaining="0;w=21600", RateLimit_Limit="100;w=21600"))
    world = World(clock, inner, origin)
    await world.get()

    with pytest.raises(PullBudgetSpent, match="no pull left of 100"):
        async with world.client.send(Request("GET", origin, "/v2/a/manifests/latest")):
            pass
    async with world.client.send(Request("HEAD", origin, "/v2/a/manifests/latest")) as response:
        assert response.status == 200

    assert [request.method for request in inner.sent] == ["GET", "HEAD"]


async def test_pulls_at_the_same_time_do_not_overdraw_the_budget(scripted, answer, origin, clock):
    left = [3]

    async def pull(request):
        left[0] -= "/manifests/" in request.target
        now = left[0]
        await asyncio.sleep(0.01)
        return answer(RateLimit_Remaining=f"{now};w=21600")

    inner = scripted(pull)
    world = World(clock, inner, origin)
    await world.get()

    async def one():
        async with world.client.send(Request("GET", origin, "/v2/a/manifests/latest")):
            pass

    ended = await asyncio.gather(*(one() for _ in range(10)), return_exceptions=True)

    assert [type(error) for error in ended if error] == [PullBudgetSpent] * 7
    assert (left, world.record.pulls) == ([0], 3)
