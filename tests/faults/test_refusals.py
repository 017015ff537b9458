"""Servers that ask for patience or fail: F3, F4 and F21 of the catalogue in README.md."""

from datetime import timedelta
from email.utils import format_datetime

import corpus
import pytest
from faultproxy import Rule, answer

from syncer.report.model import Status

LAYER = corpus.layer("refused")
IMAGE = corpus.image([LAYER])
HEX = LAYER.digest.partition(":")[2]
BLOB = f"GET .*{LAYER.digest}"
SOURCE = {"head": "HEAD .*/manifests/v1", "manifest": "GET .*/manifests/", "blob": BLOB}
TARGET = {
    "current": "HEAD .*/manifests/v1",
    "open": f"POST .*{HEX}",
    "upload": f"PUT .*{HEX}",
    "tag": "PUT .*/manifests/v1",
}
PLACES = [(False, match) for match in SOURCE.values()] + [(True, match) for match in TARGET.values()]
NAMES = [f"source {name}" for name in SOURCE] + [f"target {name}" for name in TARGET]


# F3


async def waited(lab, said: str | None) -> list[float]:
    """The waits of a run whose source answers 429 once, with that Retry-After."""
    lab.publish(IMAGE)
    lab.faulty(rule := Rule(BLOB, "inject", answer=answer(429, **({"Retry_After": said} if said else {}))))
    outcome = await lab.outcome()
    assert rule.fired == 1
    assert (outcome.status, lab.stored()) == (Status.COPIED, IMAGE.digest), outcome
    return lab.clock.slept


@pytest.mark.parametrize("form", ["seconds", "date", "unix time"])
async def test_f3_a_server_that_says_when_is_waited_for(lab, form):
    due = lab.clock.now() + timedelta(seconds=7)
    said = {"seconds": "7", "date": format_datetime(due, usegmt=True), "unix time": str(int(due.timestamp()))}
    slept = await waited(lab, said[form])
    assert 6 <= sum(slept) < 20
    asked = lab.near.counted(BLOB)
    assert len(asked) == 2


@pytest.mark.parametrize("said", [None, "-1", "0", "abc", "1e3", "", "1000000000000"])
async def test_f3_a_server_that_does_not_say_when_is_asked_again_after_a_moment(lab, said):
    assert 0 < sum(await waited(lab, said)) < 5


async def test_f3_a_server_that_wants_to_be_left_alone_for_an_hour_is(lab):
    lab.publish(IMAGE)
    lab.faulty(rule := Rule(BLOB, "inject", answer=answer(429, Retry_After="3600"), times=None))
    outcome = await lab.outcome()
    assert (outcome.status, outcome.failure.code, lab.stored(), rule.fired) == (Status.DEFERRED, "E515", None, 1)
    assert sum(lab.clock.slept) < 5


async def test_f3_a_server_that_refuses_for_ever_ends_the_attempts_and_not_the_rest(lab):
    other = corpus.image([corpus.layer("not refused")])
    lab.publish(IMAGE)
    lab.publish(other, "v2")
    lab.faulty(rule := Rule(BLOB, "inject", answer=answer(429, Retry_After="1"), times=None))
    became = {outcome.target.tag.value: outcome.status for outcome in (await lab.sync("v1", "v2")).outcomes}
    assert became["v2"] is Status.COPIED
    assert became["v1"] is not Status.COPIED
    assert (lab.stored(), lab.stored("v2"), rule.fired) == (None, other.digest, 6)
    assert 5 <= sum(lab.clock.slept) < 30


# F4


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_f4_servers_that_fail_everywhere_once_are_asked_again(lab, status):
    page = answer(status, b"<html>" * (status % 3), Content_Type="text/html")
    lab.publish(IMAGE)
    rules = [Rule(match, "inject", answer=page) for _, match in PLACES]
    lab.faulty(*rules[: len(SOURCE)])
    lab.faulty(*rules[len(SOURCE) :], at_target=True)
    outcome = await lab.outcome()
    assert [rule.fired for rule in rules] == [1] * len(PLACES)
    assert (outcome.status, lab.stored()) == (Status.COPIED, IMAGE.digest), outcome
    assert 0 < sum(lab.clock.slept) < 20


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
async def test_f4_a_server_that_fails_five_times_is_asked_a_sixth_time(lab, place):
    at_target, match = place
    lab.publish(IMAGE)
    lab.faulty(rule := Rule(match, "inject", answer=answer(502), times=5), at_target=at_target)
    outcome = await lab.outcome()
    assert rule.fired == 5
    assert (outcome.status, lab.stored()) == (Status.COPIED, IMAGE.digest), outcome


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
async def test_f4_a_server_that_fails_for_ever_fails_that_image_and_is_named(lab, place):
    at_target, match = place
    lab.publish(IMAGE)
    lab.faulty(rule := Rule(match, "inject", answer=answer(503), times=None), at_target=at_target)
    outcome = await lab.outcome()
    assert (outcome.status, lab.stored()) == (Status.FAILED, None)
    assert rule.fired == 6
    assert outcome.failure.host == (lab.far if at_target else lab.near).host
    assert "503" in outcome.failure.message


@pytest.mark.parametrize("status", [400, 403, 410, 451])
async def test_f4_what_is_refused_for_good_costs_one_attempt(lab, status):
    lab.publish(IMAGE)
    lab.faulty(rule := Rule(BLOB, "inject", answer=answer(status), times=None))
    outcome = await lab.outcome()
    assert (outcome.status, lab.stored(), rule.fired) == (Status.FAILED, None, 1)


# F21


async def test_f21_a_portal_before_everything_ends_soon_and_says_what_it_met(lab):
    page = answer(200, b"<!DOCTYPE html><html>Sign in</html>", Content_Type="text/html")
    lab.publish(IMAGE)
    lab.faulty(rule := Rule("", "inject", answer=page, times=None))
    outcome = await lab.outcome()
    assert (outcome.status, lab.stored()) == (Status.FAILED, None)
    assert rule.fired < 20
    assert "page" in outcome.failure.message


async def test_f21_a_login_page_behind_a_redirect_is_no_blob(lab):
    lab.publish(IMAGE)
    lab.faulty(
        away := Rule(BLOB, "inject", answer=answer(302, Location="/login")),
        Rule("GET /login", "inject", answer=answer(200, b"<html></html>", Content_Type="text/html")),
    )
    outcome = await lab.outcome()
    assert away.fired == 1
    assert (outcome.status, lab.stored()) == (Status.COPIED, IMAGE.digest), outcome
