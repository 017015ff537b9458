"""How often a step is tried: within its attempts, and within what its host may cost the run."""

import asyncio

import pytest

from syncer.attempts import Attempts, Policy
from syncer.clock import SteppedClock
from syncer.errors import NotFound, Parked, ServerError, TooManyRequests


class Failing:
    """A step that always fails with `error`."""

    def __init__(self, error) -> None:
        self.error = error
        self.count = 0

    async def __call__(self):
        self.count += 1
        raise self.error


async def tried(attempts: Attempts, error) -> int:
    step = Failing(error)
    with pytest.raises(type(error)):
        await attempts.step(step)
    return step.count


@pytest.mark.parametrize(("error", "count"), [(ServerError("503", host="a"), 4), (NotFound("404", host="a"), 1)])
async def test_what_passes_is_tried_again_and_what_lasts_is_not(error, count):
    assert await tried(Attempts(Policy(attempts=4), SteppedClock()), error) == count


async def test_a_host_gets_so_many_repetitions_and_others_get_their_own():
    attempts = Attempts(Policy(attempts=3, spare=3, share=0), SteppedClock())
    assert [await tried(attempts, ServerError("503", host="dead")) for _ in range(4)] == [3, 2, 1, 1]
    assert await tried(attempts, ServerError("503", host="alive")) == 3


async def test_every_step_earns_a_share_of_a_repetition():
    attempts = Attempts(Policy(attempts=9, spare=0, share=0.5), SteppedClock())
    for _ in range(7):
        await attempts.step(lambda: asyncio.sleep(0))
    assert await tried(attempts, ServerError("503", host="a")) == 5


async def test_who_asks_for_more_patience_than_a_step_has_is_left_alone():
    clock = SteppedClock()
    step = Failing(TooManyRequests("429", host="a", retry_after=121))
    with pytest.raises(Parked, match="come back in 12"):
        await Attempts(Policy(), clock).step(step)
    assert (step.count, clock.slept) == (1, [])
