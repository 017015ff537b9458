"""Buckets: how fast bytes pass, and who waits."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from syncer.clock import SteppedClock
from syncer.registry.bandwidth import Bandwidths, Bucket
from syncer.settings.bandwidth import Timetable

MEGABYTE = 1_000_000


async def stream(*chunks):
    for chunk in chunks:
        yield chunk


async def through(pace, *chunks):
    return b"".join([piece async for piece in pace.paced(stream(*chunks))])


def pace_of(clock, text="1M", whole=None):
    return Bandwidths(whole and Timetable.parse(whole), clock).of("registry.example", Timetable.parse(text)).received


async def test_bytes_pass_whole_and_no_faster_than_the_rate():
    clock, data = SteppedClock(), bytes(range(250)) * 40_000

    assert await through(pace_of(clock), data[:MEGABYTE], data[MEGABYTE:]) == data
    assert clock.monotonic() == pytest.approx(10.0, abs=0.2)


async def test_the_stricter_of_both_limits_holds():
    clock = SteppedClock()
    await through(pace_of(clock, "1M", whole="500k"), bytes(MEGABYTE))

    assert clock.monotonic() == pytest.approx(2.0, abs=0.2)


async def test_streams_share_a_rate_and_take_turns():
    clock, seen = SteppedClock(), []
    pace = pace_of(clock)

    async def read(name):
        async with aclosing(pace.paced(stream(bytes(MEGABYTE)))) as pieces:
            async for _ in pieces:
                seen.append(name)  # noqa: PERF401 - as each comes, since the order is what is looked at

    await asyncio.gather(read("a"), read("b"))

    assert clock.monotonic() == pytest.approx(2.0, abs=0.2)
    assert seen[4:10] in (list("ababab"), list("bababa"))


async def test_receiving_and_sending_do_not_slow_each_other_down():
    clock = SteppedClock()
    paces = Bandwidths(Timetable.parse("1M"), clock).of("registry.example", None)
    paces.sent.spend(MEGABYTE)

    await through(paces.received, b"x")

    assert clock.slept == []


async def test_endpoints_of_one_host_share_its_bucket_and_others_do_not():
    clock = SteppedClock()
    bandwidths, limit = Bandwidths(None, clock), Timetable.parse("1M")
    one, again, other = (bandwidths.of(host, limit).received for host in ("a.example", "a.example", "b.example"))
    one.spend(MEGABYTE)

    await through(other, b"x")
    assert clock.slept == []
    await through(again, b"x")
    assert sum(clock.slept) == pytest.approx(1.0, abs=0.1)


async def test_who_waits_when_the_limit_is_lifted_goes_on_at_once():
    clock = SteppedClock(datetime(2026, 1, 1, 12, tzinfo=UTC))
    lifted = (clock.now().astimezone()).replace(second=0)
    minute = f"{lifted.hour:02d}:{lifted.minute + 1:02d}"
    bucket = Bucket(Timetable.parse(f"{lifted.hour:02d}:{lifted.minute:02d},1k {minute},off"), clock)
    bucket.spend(MEGABYTE)  # a thousand seconds' worth

    await bucket.take(1)

    assert 59 <= clock.monotonic() <= 62


async def test_a_body_that_nobody_reads_on_is_closed():
    closed = []

    async def body():
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    async with aclosing(pace_of(SteppedClock()).paced(body())) as pieces:
        await anext(pieces)

    assert closed == [True]
