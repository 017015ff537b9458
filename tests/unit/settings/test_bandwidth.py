"""Rates and timetables: how they are written, and what holds when."""

from datetime import datetime, time

import pytest

from syncer.settings.bandwidth import Timetable


def at(text):
    return datetime.combine(datetime(2026, 1, 1), time.fromisoformat(text))  # noqa: DTZ001 - a time of day, wherever


@pytest.mark.parametrize(
    ("text", "rate"),
    [("10M", 10e6), ("500k", 500e3), ("500K", 500e3), ("1.5G", 1.5e9), ("2000", 2000.0), ("off", None), ("0", None)],
)
def test_a_rate_is_decimal_bytes_per_second(text, rate):
    assert Timetable.parse(text).rate(at("12:00")) == rate


@pytest.mark.parametrize(
    ("now", "rate"),
    [("07:59", None), ("08:00", 10e6), ("12:30", 1e6), ("22:59", 1e6), ("23:00", None), ("00:00", None)],
)
def test_each_entry_of_a_timetable_holds_until_the_next_and_the_last_past_midnight(now, rate):
    assert Timetable.parse("23:00,off 08:00,10M 12:30,1M").rate(at(now)) == rate


@pytest.mark.parametrize(
    "text",
    ["", "fast", "10MB", "-1M", "1", "999", "10 M", "1e6", "08:00,10M 8:00,1M", "24:00,1M", "08:61,1M", "8,1M", ","],
)
def test_what_is_no_rate_and_no_timetable_is_refused(text):
    with pytest.raises(ValueError, match=r"must be|twice"):
        Timetable.parse(text)


@pytest.mark.parametrize("text", ["10M", "1.5G", "500k", "off", "2k", "08:00,10M 23:00,off"])
def test_it_is_shown_as_it_is_written(text):
    assert str(Timetable.parse(text)) == text
