"""Header fields of any bytes: read, unknown, or the one declared error; and what is written comes back."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from fuzzing import HEADERS, fuzzed, made_of
from hypothesis import strategies as st

from syncer.errors import ProtocolViolation
from syncer.oci import media_types
from syncer.registry import headers
from syncer.registry.challenge import parse_challenges
from syncer.registry.http import Request
from syncer.registry.urls import Origin

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = Origin("https", "registry.example", 443)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Answer:
    """A response of which only one field counts."""

    request = Request("GET", ORIGIN, "/v2/")

    def __init__(self, *values):
        self.values = list(values)

    def header_all(self, _name):
        return self.values

    def header(self, _name):
        return self.values[0] if self.values else None


CHALLENGE = (
    "Bearer",
    "Basic",
    "bearer",
    " ",
    ",",
    "=",
    '"',
    "\\",
    "realm",
    'realm="https://a/t"',
    "scope=a:b:pull",
    "x==",
)


@fuzzed(HEADERS | made_of(*CHALLENGE))
def test_a_challenge_is_read_within_its_limits_or_a_value_error(text):
    try:
        found = parse_challenges([text])
    except ValueError as refused:
        assert str(refused).isprintable()
        return
    assert len(found) <= 8
    assert bool(found) == bool(text.strip(", \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029\u3000"))
    for challenge in found:
        assert challenge.scheme == challenge.scheme.lower()
        assert challenge.scheme in text.lower().replace("\\", "") or "\\" in text
        assert all(name == name.lower() and len(challenge.params) <= 32 for name in challenge.params)


LINK = (
    "<",
    ">",
    "/v2/a?last=b",
    "<https://a/b>",
    ";",
    ",",
    "rel",
    "=",
    '"',
    "next",
    "last next",
    ' rel="next"',
    " ",
    "\\",
    "*",
)


@fuzzed(st.lists(HEADERS | made_of(*LINK), max_size=3))
def test_a_link_is_read_or_the_hosts_fault(values):
    try:
        target = headers.next_link(Answer(*values))
    except ProtocolViolation as refused:
        assert refused.host == "registry.example"
        return
    assert target is None or any(target in value for value in values)
    assert target is None or not set(target) & set("<> \n\x00")


@fuzzed(st.tuples(st.text(st.sampled_from("/abc?=&%2F:._~-"), min_size=1), st.text(st.characters(codec="latin-1"))))
def test_a_link_that_is_written_is_read_back(link):
    target, title = link[0], link[1].replace("\n", "")
    quoted = title.replace("\\", "\\\\").replace('"', '\\"')
    (found,) = headers.links([f'<{target}>; title="{quoted}"; rel="next"'])

    assert (found.target, dict(found.params)) == (target, {"title": title, "rel": "next"})


@fuzzed(HEADERS | made_of("bytes", " ", "0", "1", "9", "-", "/", "*", "9" * 19, most=7))
def test_a_content_range_lies_within_its_size_or_is_unknown(text):
    found = headers.content_range(Answer(text))
    parts = re.split("[ /-]", text)
    if found is None:
        assert not re.fullmatch(r"bytes ([0-9])-\1/\*", text)
        return
    assert text == f"bytes {parts[1]}-{parts[2]}/{parts[3]}"
    assert all(part.isascii() for part in parts)
    assert 0 <= found.first <= found.last < (found.size if found.size is not None else found.last + 1)
    assert headers.content_range(Answer(text, text)) is None


@fuzzed(HEADERS | made_of("0", "12", "\u0663", " ", "-", "+", "_", "9" * 20, most=4))
def test_numbers_of_headers_are_ascii_digits_or_unknown(text):
    length, allowed = headers.content_length(Answer(text)), headers.allowance(text)

    assert length is None or (text.isascii() and text.isdigit() and int(text) == length)
    assert allowed is None or re.fullmatch(r"[0-9]+(;w=[0-9]+)?", text.strip())


@fuzzed(st.tuples(st.integers(0, 10**9 - 1), st.none() | st.integers(0, 10**9 - 1)))
def test_an_allowance_that_is_written_is_read_back(pair):
    assert headers.allowance(f"{pair[0]}" + ("" if pair[1] is None else f";w={pair[1]}")) == pair


MOMENT = (
    "Thu,",
    " ",
    "01",
    "Jan",
    "2026",
    "00:00:30",
    "GMT",
    "+0100",
    "-0000",
    "-",
    ":",
    ",",
    "1",
    "9" * 30,
    "1e9",
    ".5",
    "Z",
)


@fuzzed(HEADERS | made_of(*MOMENT, most=10))
def test_a_wait_is_a_number_that_can_be_waited_or_none(text):
    found = headers.retry_after(text, NOW)

    assert found is None or 0 <= found < 10**12


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@fuzzed(st.datetimes(datetime(2026, 1, 2), datetime(2099, 1, 1), timezones=ZONES))  # noqa: DTZ001 -- hypothesis adds them
def test_a_date_that_is_written_is_waited_for(moment):
    moment = moment.replace(microsecond=0)

    assert headers.retry_after(format_datetime(moment), NOW) == (moment - NOW).total_seconds()


@pytest.mark.parametrize("zone", ["", " GMT", " -0000", " UT"])
def test_a_date_without_a_zone_is_not_of_ours(zone, monkeypatch):
    import time  # noqa: PLC0415 -- its zone is changed here, and nowhere else

    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert headers.retry_after(f"Thu, 01 Jan 2026 00:00:30{zone}", NOW) == 30
    finally:
        monkeypatch.undo()
        time.tzset()


@fuzzed(HEADERS | made_of("299", " ", "-", '"', "\\", "words", "\x1b[31m", most=8))
def test_a_warning_is_what_stands_between_its_quotes_or_nothing(text):
    found = headers.warning(text)

    assert len(found) <= 300
    assert not found or text.startswith('299 - "')
    assert "\x1b" not in found
    found.encode()


@fuzzed(HEADERS | made_of("sha256:", "a" * 64, "A", ",", " ", most=4))
def test_a_digest_of_a_header_is_the_whole_header(text):
    found = headers.content_digest(Answer(text))

    assert found is None or str(found) == text


@fuzzed(HEADERS | made_of("application", "/", "vnd.oci.image.index.v1+json", ";", "charset=", " ", "a" * 128, most=6))
def test_a_media_type_has_two_plain_halves(text):
    if media_types.is_media_type(text):
        kind, slash, sub = text.partition("/")
        assert (slash, text.isascii(), text.isprintable()) == ("/", True, True)
        assert all(1 <= len(half) <= 127 and not set(half) & set(' /;,"()<>@:\\') for half in (kind, sub))
    assert ";" not in media_types.without_parameters(text)
