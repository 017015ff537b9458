"""What the commands and their options do, seen from outside."""

import os
import signal
import time

from cli_town import ended, netloc, until

from syncer.sandbox import actions
from syncer.sandbox.faults import Fault


async def test_only_and_skip_choose_images(town):
    town.publish("app:1", "app:2", "b:1")
    town.config("app:1", "app:2", "b:1")

    ran = await town.shell.run("sync", "--only", "*/app:*", "--skip", "*:2", "-o", "json")

    assert [image["source"] for image in ran.document["images"]] == [f"{town.source}/app:1"]
    assert town.tags("b") == {}


async def test_nothing_selected_says_what_to_look_at(town):
    town.config("app:1")

    ran = await town.shell.run("sync", "--only", "nothing")

    assert "error[E121]" in ran.err
    assert "--only" in ran.err


async def test_retries_count_the_repetitions_of_a_step(town):
    town.publish("app:1")
    fault = Fault(actions.reply(503), path="/manifests/", method="HEAD")
    town.origin.server.faults.add(fault)
    town.config("app:1")

    await town.shell.run("plan", "--retries", "0")
    once = fault.fired
    await town.shell.run("plan", "--retries", "1")

    assert (once, fault.fired) == (1, 3)


async def test_a_saved_plan_is_applied_and_nothing_else(town):
    town.publish("app:1")
    town.config("app:1")
    planned = await town.shell.run("plan", "--out", "plan.json")

    applied = await town.shell.run("apply", "plan.json", "-o", "json")

    assert "Next: syncer apply plan.json" in planned.out
    assert (applied.code, applied.statuses) == (0, ["copied"])
    assert list(town.tags("app")) == ["1"]


async def test_a_plan_of_another_file_is_refused(town):
    town.publish("app:1")
    file = town.config("app:1")
    await town.shell.run("plan", "--out", "plan.json")
    file.write_text(file.read_text() + "\n")

    ran = await town.shell.run("apply", "plan.json")

    assert ran.code == 2
    assert "error[E122]" in ran.err
    assert not town.world.log.find(method="PUT|POST|PATCH")


async def test_a_source_that_moved_since_the_plan_fails_and_the_others_go_on(town):
    town.publish("app:1", "b:1")
    town.config("app:1", "b:1")
    await town.shell.run("plan", "--out", "plan.json")
    town.publish("app:1", edition="new")

    ran = await town.shell.run("apply", "plan.json", "-o", "json")

    assert (ran.code, ran.statuses) == (1, ["failed", "copied"])
    assert ran.document["images"][0]["error"]["code"] == "E510"


async def test_copy_needs_no_file(town):
    town.publish("app:1")

    ran = await town.shell.run("copy", f"{town.source}/app:1", f"{netloc(town.target)}/new/name:x")

    assert ran.code == 0
    assert list(town.tags("new/name")) == ["x"]


async def test_copy_uses_what_a_file_says_of_the_registries(town):
    town.publish("app:1")
    town.origin.ask_for_passwords({"joe": "sesame"})
    town.config("other:1", registry={"auth": {"username": "joe", "password": "sesame"}})

    ran = await town.shell.run("copy", f"{town.source}/app:1", f"{netloc(town.target)}/app:1")

    assert ran.code == 0


async def test_copy_does_not_go_on_without_a_file_that_was_named(town):
    ran = await town.shell.run("copy", f"{town.source}/app:1", f"{netloc(town.target)}/app:1", "-c", "absent.yaml")

    assert ran.code == 2
    assert "absent.yaml: error[E101]" in ran.err


async def holding_the_lock(town, *args):
    """A sync that hangs."""
    town.publish("app:1")
    fault = town.origin.server.faults.add(Fault(actions.hang(), times=1))
    town.config("app:1")
    process = await town.shell.start("sync", *args)
    await until(lambda: fault.fired)
    return process


async def test_a_second_run_of_the_same_file_ends_at_once_and_names_the_first(town):
    first = await holding_the_lock(town)

    began = time.monotonic()
    ran = await town.shell.run("sync")

    assert ran.code == 7
    assert time.monotonic() - began < 2  # with the start of Python, while other tests run
    assert f"process {first.pid}" in ran.err
    os.kill(first.pid, signal.SIGKILL)
    await first.wait()
    assert (await town.shell.run("sync")).code == 0


async def test_runs_of_two_files_go_side_by_side(town):
    first = await holding_the_lock(town)
    town.shell.write((town.shell.directory / "mirrors.yaml").read_text(), "other.yaml")

    ran = await town.shell.run("sync", "-c", "other.yaml")

    assert ran.code == 0
    first.kill()
    await ended(first)


async def test_without_a_place_for_state_the_run_goes_on_with_a_warning(town):
    town.publish("app:1")
    town.config("app:1")
    town.shell.write("", "file")

    ran = await town.shell.run("sync", "--state-dir", "file/state")

    assert ran.code == 0
    assert "warning: no state and no lock: file/state cannot be used" in ran.out


async def test_check_shows_what_holds_and_no_secret(town):
    town.config("app:1", registry={"auth": {"username": "joe", "password": "s3cr3t-canary"}, "keep_for": "2d"})

    ran = await town.shell.run("check", "-v")

    assert f"registry {town.source}: http://{town.source}" in ran.out
    assert "in flight, as joe\n" in ran.out
    assert "keep_for: 2d" in ran.out
    assert "missing repositories are created: MUTABLE" in ran.out
    assert "s3cr3t" not in ran.out
    assert ran.last.endswith("1 rule, 1 target: no mistakes")


async def test_a_mistyped_command_and_option_get_a_guess(shell):
    assert "sync" in (await shell.run("snyc")).err
    assert "--retries" in (await shell.run("sync", "--retrys", "3")).err


async def test_version_tells_what_a_bug_report_needs(shell):
    about = (await shell.run("version", "-o", "json")).document

    assert {"syncer", "python", "platform", "aiohttp", "boto3", "docker", "pydantic"} <= about.keys()
