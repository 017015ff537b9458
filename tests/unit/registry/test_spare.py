"""How many streams could begin without anybody having to wait."""

from __future__ import annotations

import pytest

from syncer.clock import SteppedClock
from syncer.errors import Unreachable
from syncer.oci.origin import Origin
from syncer.registry.hosts import Hosts, spare
from syncer.registry.upstream import STRIKES, Upstream
from syncer.settings.registries import Endpoint, Limits, MirrorSettings


def upstream(in_flight: int = 8) -> Upstream:
    endpoint = Endpoint(Origin.parse("https://mirror.example"), limits=Limits(in_flight))
    return Upstream(endpoint, Hosts(SteppedClock()), MirrorSettings(endpoint))


@pytest.mark.parametrize(("in_flight", "load", "left"), [(8, 0, 6), (8, 5, 1), (8, 9, 0), (1, 0, 1), (1, 1, 0)])
def test_a_quarter_is_left_to_requests_that_cannot_be_spared(in_flight, load, left):
    assert spare(in_flight, load) == left


def test_streams_count_for_the_host_that_was_asked_wherever_it_redirects_them():
    mirror, other = upstream(), upstream()
    with mirror.streaming(), mirror.streaming():
        assert mirror.spare == 4
        assert other.turn < mirror.turn

    assert mirror.spare == 6


def test_requests_and_streams_are_not_counted_twice():
    mirror = upstream()
    mirror.record.load = 3
    with mirror.streaming():
        assert mirror.spare == 3


def test_a_host_that_fails_has_nothing_to_spare():
    resting, stumbling = upstream(), upstream()
    for _ in range(5):
        resting.record.failed(Unreachable("reset"), 0.0)
    for _ in range(STRIKES):
        stumbling.stumbled()

    assert (resting.spare, stumbling.spare) == (0, 0)
