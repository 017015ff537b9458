"""`--bwlimit` and `--max-duration`, from outside."""

import pytest
from cli_town import ended

from syncer.cli.limits import seconds
from syncer.sandbox import actions
from syncer.sandbox.faults import Fault


@pytest.mark.parametrize(
    ("text", "wanted"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("1d", 86400), ("1d2h3m4s", 93784)]
)
def test_a_duration_is_read(text, wanted):
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "0s", "5", "2x", "m", "-1h", "30m1h", "1.5h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="must be a time"):
        seconds(text)


@pytest.mark.parametrize("option", [("--bwlimit", "fast"), ("--max-duration", "soon")])
async def test_a_limit_that_makes_no_sense_is_bad_usage(town, option):
    town.config("app:1")
    ran = await ended(await town.shell.start("sync", *option))

    assert ran.code == 2
    assert "must be a" in ran.err


async def test_what_is_not_begun_when_the_time_is_over_is_deferred(town):
    town.publish("app:1", "b:2", "c:3")
    town.origin.server.faults.add(Fault(actions.trickle(200, 0.1), path="/app/blobs/"))
    town.config("app:1", "b:2", "c:3")

    ran = await ended(await town.shell.start("sync", "--jobs", "1", "-o", "json", "--max-duration", "3s"))

    assert ran.code == 6
    assert ran.statuses == ["copied", "deferred", "deferred"]
    assert {image["error"]["code"] for image in ran.document["images"] if image["error"]} == {"E513"}
    assert "3.0 s are over" in ran.err


async def test_time_that_is_over_while_planning_ends_the_run_with_exit_6(town):
    town.origin.server.faults.add(Fault(actions.hang(), path="/manifests/"))
    town.config("app:1")

    ran = await ended(await town.shell.start("sync", "-o", "json", "--max-duration", "1s"))

    assert (ran.code, ran.document["exit_code"], ran.document["error"]["code"]) == (6, 6, "E513")
    assert not town.world.log.find(method="PUT|POST|PATCH")


async def test_a_bandwidth_limit_slows_a_copy_down(town):
    """Layers of 48, 12 and 4 kB: whichever comes last, 16 kB are paid for before it begins."""
    town.publish("app:1")
    town.config("app:1")

    ran = await ended(await town.shell.start("sync", "-o", "json", "--bwlimit", "4k"))

    assert (ran.code, ran.statuses) == (0, ["copied"])
    assert 3.9 <= ran.document["run"]["seconds"] <= 25
