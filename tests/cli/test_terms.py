"""What must be said before it is done, and how long things may take: from mirrors.yaml to the end."""

import sqlite3

from syncer.sandbox import actions
from syncer.sandbox.faults import Fault

OURS = {"overwrite": "ours"}


async def test_somebody_else_s_tag_is_left_alone_until_it_is_said_that_it_may_go(town):
    town.publish("app:1", "app:2")
    town.mirrored("app:1", edition="of somebody else")
    town.config("app:1", "app:2", rule=OURS)
    before = town.tags("app")

    refused = await town.shell.run("sync", "-o", "json")
    after = town.tags("app")
    told = await town.shell.run("sync", "-o", "json", "--overwrite")

    assert (refused.code, refused.statuses) == (1, ["blocked", "copied"])
    assert refused.document["images"][0]["error"]["code"] == "E312"
    assert after["1"] == before["1"]
    assert (told.code, told.statuses) == (0, ["copied", "up_to_date"])
    assert town.tags("app")["1"] != before["1"]


async def test_what_an_earlier_run_wrote_is_moved_and_what_was_moved_since_is_not(town):
    town.publish("app:1", "app:2")
    town.config("app:1", "app:2", rule=OURS)
    await town.shell.run("sync")
    town.publish("app:1", "app:2", edition="newer")
    town.mirrored("app:2", edition="of somebody else")

    ran = await town.shell.run("sync", "-o", "json")

    assert (ran.code, ran.statuses) == (1, ["copied", "blocked"])


async def test_copy_means_what_it_says(town):
    town.publish("app:1")
    town.mirrored("app:1", edition="of somebody else")
    town.config("app:1", rule=OURS)
    before = town.tags("app")

    ran = await town.shell.run(
        "copy", f"{town.source}/app:1", f"{town.target.server.address.partition('://')[2]}/app:1"
    )

    assert ran.code == 0
    assert town.tags("app") != before


async def test_verify_says_of_somebody_else_s_tag_that_it_differs(town):
    town.publish("app:1")
    town.mirrored("app:1", edition="of somebody else")
    town.config("app:1", rule=OURS)

    ran = await town.shell.run("verify", "-o", "json")

    assert (ran.code, ran.statuses) == (5, ["differs"])


async def test_a_mirror_turns_no_tag_back_until_it_is_said_that_it_may(town):
    town.publish("app:1")
    mirror = await town.add_mirror("one")
    trusted = {"resolve": ["mirror"], "mirrors": [{"url": mirror.server.address, "trust": "tags"}]}
    town.config("app:1", registry=trusted)
    await town.shell.run("sync")
    first = town.tags("app")
    town.publish("app:1", edition="newer")
    await town.shell.run("sync")
    second = town.tags("app")
    town.publish("app:1")

    refused = await town.shell.run("sync", "-o", "json")
    after = town.tags("app")
    allowed = await town.shell.run("sync", "-o", "json", "--allow-rollback")

    assert first != second == after
    assert (refused.code, refused.statuses) == (1, ["blocked"])
    assert refused.document["images"][0]["error"]["code"] == "E603"
    assert (allowed.code, allowed.statuses) == (0, ["copied"])
    assert town.tags("app") == first


async def test_the_origin_may_turn_a_tag_back(town):
    town.publish("app:1")
    town.config("app:1")
    await town.shell.run("sync")
    town.publish("app:1", edition="newer")
    await town.shell.run("sync")
    town.publish("app:1")

    assert (await town.shell.run("sync", "-o", "json")).statuses == ["copied"]
    with sqlite3.connect(next((town.shell.directory / "state").glob("*.sqlite*"))) as state:
        assert state.execute("SELECT count(*) FROM seen").fetchone() == (2,)


async def test_an_image_that_takes_too_long_fails_by_name_and_the_others_arrive(town):
    town.publish("app:1", "b:1")
    fault = Fault(actions.hang(), path="/app/manifests/", method="PUT")
    town.target.server.faults.add(fault)
    town.config("app:1", "b:1", rule={"deadline": "2s"})

    ran = await town.shell.run("sync", "-o", "json", "--retries", "0")

    assert fault.fired
    assert (ran.code, ran.statuses) == (1, ["failed", "copied"])
    assert ran.document["images"][0]["error"]["code"] == "E514"
    assert town.tags("app") == {}


async def test_a_host_that_answers_too_late_is_left(town):
    town.publish("app:1")
    fault = Fault(actions.hang(), path="/manifests/", method="HEAD")
    town.origin.server.faults.add(fault)
    town.config("app:1", registry={"timeouts": {"headers": "300ms"}})

    ran = await town.shell.run("sync", "-o", "json", "--retries", "0")

    assert fault.fired
    assert (ran.code, ran.document["images"][0]["error"]["code"]) == (1, "E502")
    assert ran.document["run"]["seconds"] < 10


async def test_check_shows_what_is_not_the_usual(town):
    town.config("app:1", registry={"timeouts": {"stall": "5s"}}, rule={"deadline": "3h", "rollback": "refuse"})

    ran = await town.shell.run("check", "-v")

    assert "5 s a stall" in ran.out
    assert "within 3h00m, overwrite any, rollback refuse" in ran.out
