"""How many requests may be in flight: the window on a stepped clock, and the slots that it gives."""

import asyncio
from contextlib import suppress

import pytest

from syncer.clock import SteppedClock
from syncer.registry.adaptive import Slots, Window


class Load:
    """Requests against a window, always as many as it lets in, each round taking as long as `seconds` says."""

    def __init__(self, ceiling=64, start=8):
        self.clock = SteppedClock()
        self.window = Window(ceiling, start, 0.0)

    def round(self, seconds=0.1, size=1000, head=None, *, busy=True):
        """As many requests as may be in flight begin and end."""
        count = self.window.size
        if busy:
            self.window.wanted()
        self.clock.advance(seconds)
        for _ in range(count):
            if head is not None:
                self.window.answered(head)
            self.window.ended(size, self.clock.monotonic())
        return self.window.size


def test_it_doubles_each_round_while_that_moves_more_and_stops_at_the_ceiling():
    load = Load(ceiling=50)

    assert [load.round() for _ in range(4)] == [16, 32, 50, 50]


def test_it_stops_doubling_when_a_round_brings_no_more_than_the_one_before():
    load = Load()
    sizes = [load.round(seconds=load.window.size * 0.01) for _ in range(4)]

    assert sizes == [16, 32, 33, 34]


def test_it_does_not_grow_while_a_round_brings_less():
    load = Load()
    load.round(), load.round()
    sizes = [load.round(seconds=2.0 * load.window.size * 2**slower) for slower in range(3)]

    assert sizes[1:] == [sizes[0]] * 2


def test_large_blobs_first_are_no_reason_to_stop():
    """Fewer bytes a second, but more requests: what is left is smaller, and more at once still helps."""
    load = Load()

    assert [load.round(size=10**6 // 4**n) for n in range(3)] == [16, 32, 64]


def test_it_stays_as_it_is_while_nobody_has_to_wait():
    load = Load()

    assert [load.round(busy=False) for _ in range(5)] == [8] * 5


def test_two_hundred_failures_together_halve_it_once():
    window = Window(256, 256, 0.0)
    for _ in range(200):
        window.failed(0, 1.0)
    assert (window.size, window.halvings) == (128, 1)

    window.failed(1, 2.0)
    assert window.size == 64


def test_it_never_falls_below_one_and_comes_back_by_one_a_round():
    load = Load(start=64)
    for began in range(10):
        load.window.failed(began, 0.0)
    assert load.window.size == 1

    assert [load.round() for _ in range(3)] == [2, 3, 4]


def test_a_round_in_which_even_the_fastest_answer_was_slow_halves_it():
    load = Load(start=64)
    assert load.round(head=0.1) == 64
    assert load.round(head=0.6) == 64  # not slow enough to be more than our own loop

    assert load.round(head=0.8) == 32


def test_one_slow_answer_among_quick_ones_is_no_reason():
    load = Load(start=64)
    load.round(head=0.1)
    load.window.answered(30.0)

    assert load.round(head=0.1) == 64


async def test_slots_are_given_in_the_order_of_asking_as_many_as_the_window_has():
    slots, order, opened = Slots(Window(2, 2, 0.0)), [], asyncio.Event()

    async def take(name):
        async with slots.one():
            order.append(name)
            await opened.wait()

    async with asyncio.TaskGroup() as group:
        for name in range(5):
            group.create_task(take(name))
        await asyncio.sleep(0.01)
        assert order == [0, 1]
        opened.set()
    assert order == [0, 1, 2, 3, 4]


async def test_a_window_that_grew_lets_several_in_when_one_leaves():
    window, inside, leave = Window(8, 1, 0.0), [], asyncio.Event()
    slots = Slots(window)

    async def stay(name):
        async with slots.one():
            inside.append(name)
            await leave.wait()

    async with asyncio.TaskGroup() as group:
        async with slots.one():
            for name in range(5):
                group.create_task(stay(name))
            await asyncio.sleep(0)
            window.size = 3
        await asyncio.sleep(0)
        assert inside == [0, 1, 2]
        leave.set()


@pytest.mark.parametrize("when", ["while it waits", "as its turn comes"])
async def test_who_is_cancelled_leaves_its_place_to_the_next(when):
    slots = Slots(Window(1, 1, 0.0))

    async def take():
        async with slots.one():
            return "in"

    async with slots.one():
        first, second = asyncio.create_task(take()), asyncio.create_task(take())
        await asyncio.sleep(0)
        if when == "while it waits":
            first.cancel()
    first.cancel()  # its turn has come, and it does not know yet
    with suppress(asyncio.CancelledError):
        await first

    assert await asyncio.wait_for(second, 1) == "in"
