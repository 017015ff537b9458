"""WWW-Authenticate: what is understood, what is refused, and how fast."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.registry.challenge import Challenge, parse_challenges

OWN = [
    {
        "header": 'Bearer realm="https://a/t", Basic realm="b", charset="UTF-8"',
        "ok": True,
        "challenges": [
            {"scheme": "bearer", "params": {"realm": "https://a/t"}},
            {"scheme": "basic", "params": {"realm": "b", "charset": "UTF-8"}},
        ],
    },
    {"header": 'Bearer realm="a",REALM="b"', "ok": False, "challenges": []},
    {"header": 'Bearer realm="a"x="b"', "ok": False, "challenges": []},
    {"header": "Bearer realm=https://a/t?x=1,service=s", "ok": None, "challenges": []},
]
USABLE = {"basic", "bearer"}


@pytest.mark.table("www_authenticate", own=OWN)
def test_a_challenge_is_read_or_refused(case):
    try:
        found = parse_challenges([case["header"]])
    except ValueError:
        assert not case["ok"]
        return
    if case["ok"] is False:
        assert not [challenge for challenge in found if challenge.scheme in USABLE]
    if not case["ok"]:
        return
    first_only = "first challenge only" in case.get("note", "")
    for expected, challenge in zip(case["challenges"], found, strict=not first_only):
        assert challenge.scheme == expected["scheme"]
        assert expected["params"].items() <= challenge.params.items()


def test_an_unquoted_url_is_never_split():
    found = parse_challenges(["Bearer realm=https://a/t?x=1,service=s"])

    assert found == (Challenge("bearer", {"realm": "https://a/t?x=1", "service": "s"}),)


def test_challenges_may_come_in_several_fields():
    found = parse_challenges(['Bearer realm="https://a/t"', 'Basic realm="b"'])

    assert [challenge.scheme for challenge in found] == ["bearer", "basic"]


@pytest.mark.parametrize(
    "values",
    [
        ["Bearer " + ",".join(f"k{n}=v" for n in range(33))],
        [", ".join(f'Basic realm="{n}"' for n in range(9))],
        ['Basic realm="x"'] * 9,
        ['Bearer realm="' + "x" * 8192 + '"'],
    ],
    ids=["parameters", "challenges", "fields", "length"],
)
def test_more_than_the_limits_is_refused(values):
    with pytest.raises(ValueError, match=r"more than|longer than"):
        parse_challenges(values)


NAMES = st.text(st.sampled_from("abcdefgh-"), min_size=1, max_size=8)
PARAMS = st.dictionaries(NAMES, st.text(st.characters(max_codepoint=255), max_size=20), min_size=1, max_size=5)


@given(st.lists(st.tuples(NAMES, PARAMS), min_size=1, max_size=4))
def test_what_is_written_with_quotes_is_read_back(challenges):
    def quoted(value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ", ".join(
        f"{scheme} " + ", ".join(f"{name}={quoted(value)}" for name, value in params.items())
        for scheme, params in challenges
    )

    assert parse_challenges([header]) == tuple(Challenge(scheme, params) for scheme, params in challenges)


@given(st.text(st.sampled_from('Ba ,="\\\tr\n'), max_size=80))
def test_anything_else_is_a_value_error(text):
    try:
        found = parse_challenges([text])
    except ValueError:
        return
    assert all(challenge.scheme for challenge in found)


@pytest.mark.parametrize("part", ["a=", '"', "\\", "a ", "a=b,", 'a="', ","])
def test_reading_takes_linear_time(part):
    started = time.perf_counter()
    with contextlib.suppress(ValueError):
        parse_challenges([("Bearer " + part * 8192)[:8192]])
    assert time.perf_counter() - started < 0.5
