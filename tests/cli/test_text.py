"""What is printed: failures last, grouped by cause, each with what to do next; the verdict is the last line."""

import os

import pytest
from cli_town import ended

from syncer.sandbox import actions
from syncer.sandbox.faults import Fault


async def lines(town, *command: str) -> list[str]:
    return (await town.shell.run(*command)).out.splitlines()


async def test_images_that_failed_for_one_cause_are_told_together(town):
    town.publish("app:1")
    town.config("app:1", "gone:1", "gone:2")

    told = await lines(town, "sync")

    assert told[0] == f"2 images failed: E508 at {town.source}"
    assert [line.split(" -> ")[0].strip() for line in told[1:5:2]] == [f"{town.source}/gone:{n}" for n in (1, 2)]
    assert told[5] == "    next: check the name and the tag; it may have been deleted"
    assert told[6].startswith("sync: 1 copied, 2 failed; ")
    assert told[6].endswith("; exit 1")
    assert len(told) == 7


async def test_many_images_of_one_cause_are_counted(town):
    town.config(*(f"gone:{number}" for number in range(25)))

    told = await lines(town, "sync")

    assert told[0].startswith("25 images failed: E508")
    assert "  and 15 more" in told
    assert len(told) == 24


async def test_a_lying_mirror_is_named_once_and_the_right_bytes_arrive(town):
    town.publish("app:1")
    (await town.add_mirror("alpha.example")).misbehave("wrong bytes")
    await town.add_mirror("beta.example")
    town.config("app:1")

    told = await lines(town, "sync")

    liar = town.mirrors[0][0].server.address.partition("://")[2]
    assert told[0].startswith(f"at fault: {liar} sent other bytes than sha256:")
    assert told[0].count("sent other bytes") == 1
    assert told[-1].endswith("1 of 1 verified; " + told[-1].rsplit("; ", 2)[1] + "; exit 0")
    assert len(told) == 2


async def test_a_dead_mirror_is_named(town):
    town.publish("app:1")
    await (await town.add_mirror("alpha.example")).server.refuse()
    town.config("app:1")

    told = await lines(town, "sync")

    dead = town.mirrors[0][0].server.address.partition("://")[2]
    assert told[0] == f"warning: {dead} did not answer once in this run"


async def test_an_unreachable_origin_with_one_mirror_says_what_to_write(town):
    town.publish("app:1")
    await town.add_mirror("alpha.example")
    await town.origin.server.refuse()
    town.config("app:1")

    told = "\n".join(await lines(town, "sync"))

    assert "1 image failed: E601" in told
    assert (
        f"next: add a mirror of another operator, or pin a digest that you know to be right (`source: {town.source}"
        in told
    )


async def test_an_unreachable_origin_without_mirrors_speaks_for_itself(town):
    await town.origin.server.refuse()
    town.config("app:1")

    told = "\n".join(await lines(town, "sync", "--retries", "0"))

    assert f"1 image failed: E501 at {town.source}" in told
    assert f"curl -v http://{town.source}/v2/" in told


async def test_a_wrong_password_says_where_to_look(town):
    town.origin.ask_for_passwords({"joe": "right"})
    town.config("app:1", registry={"auth": {"username": "joe", "password": "wrong-one"}})

    told = "\n".join(await lines(town, "sync"))

    assert f"next: check the name, then `registries.{town.source}.auth` in mirrors.yaml" in told


async def test_an_immutable_tag_shows_both_digests(town):
    town.mirrored("app:1", edition="old")
    town.config("app:1")
    town.publish("app:1")
    body = b'{"errors": [{"code": "TAG_INVALID", "message": "tag is immutable"}]}'
    town.target.server.faults.add(Fault(actions.reply(400, body), method="PUT", path="/manifests/1$"))

    told = "\n".join(await lines(town, "sync"))

    assert "1 image blocked: E302" in told
    assert "cannot become sha256:" in told
    assert "next: mirror to another tag" in told


@pytest.mark.parametrize("change", ["moved", "lost"])
async def test_verify_says_what_is_there_instead(town, change):
    town.publish("app:1", "app:2")
    town.mirrored("app:1", "app:2")
    town.config("app:1", "app:2")
    tags = town.target.store.find("app").tags
    tags["1"] = tags["2"]
    if change == "lost":
        del tags["1"]

    told = await lines(town, "verify")

    assert told[0].startswith("1 image differs from the source" if change == "moved" else "1 image missing: E508")
    assert told[3] in ("    next: syncer sync", "    next: run `syncer sync`")
    assert told[4].startswith(f"verify: 1 ok, 1 {'differs' if change == 'moved' else 'missing'}; ")


async def test_a_plan_lists_what_it_would_do_and_then_what_it_cannot(town):
    town.publish("app:1", "app:2")
    town.mirrored("app:2", edition="old")
    town.config("app:1", "app:2", "gone:1")

    told = await lines(town, "plan")

    assert [line[:4] for line in told[:2]] == ["  + ", "  ~ "]
    assert told[2].startswith("At most ")
    assert told[2].endswith(" to move. Next: syncer sync")
    assert told[3].startswith("1 image failed: E508")
    assert told[-1].startswith("plan: 1 failed, 1 to add, 1 to update; ")
    assert told[-1].endswith("; exit 1")


async def test_a_run_with_v_tells_what_each_host_did(town):
    town.publish("app:1")
    town.config("app:1")

    told = await lines(town, "sync", "-v")

    assert any(line.startswith(f"host {town.source}: ") and line.endswith(" received") for line in told)


async def test_only_what_a_run_needs_is_imported(town):
    """boto3 is for ECR, docker for registries that ask who we are, rich for terminals."""
    town.publish("app:1")
    town.config("app:1")

    ran = await town.shell.run("plan", PYTHONPROFILEIMPORTTIME="1")

    imported = {line.rsplit("|", 1)[-1].strip() for line in ran.err.splitlines()}
    assert ran.code == 0
    assert "aiohttp" in imported
    assert not {"boto3", "botocore", "docker", "rich", "jinja2"} & imported


async def test_a_terminal_without_our_characters_gets_them_written_out(town):
    body = b'{"errors": [{"code": "DENIED", "message": "%s"}]}' % (b"so long a sentence " * 30)
    town.publish("app:1")
    town.origin.server.faults.add(Fault(actions.reply(403, body), method="GET", path="/manifests/"))
    town.config("app:1")

    ran = await town.shell.run("sync", PYTHONIOENCODING="ascii")

    assert ran.code == 3
    assert "\\u2026" in ran.err


async def test_a_reader_that_goes_away_is_no_bug(shell):
    """As `head` does."""
    reading, writing = os.pipe()
    os.close(reading)

    process = await shell.start("schema", stdout=writing)
    os.close(writing)
    ran = await ended(process)

    assert (ran.code, ran.err) == (1, "")
