"""Law 7 from outside: each cause, and the exit code that it makes."""

import pytest

from syncer.sandbox import actions
from syncer.sandbox.faults import Fault

SYNC = ("sync", "--retries", "0")


def fault(server, action, **where):
    server.server.faults.add(Fault(action, **where))


async def in_place(town):
    town.mirrored("app:1")
    town.config("app:1")


async def missing_tag(town):
    town.config("app:1", "app:2")


async def missing_everything(town):
    town.config("gone:1")


async def refusing_origin(town):
    town.origin.ask_for_passwords({"joe": "right"})
    town.config("app:1", registry={"auth": {"username": "joe", "password": "wrong"}})


async def refusing_target(town):
    town.target.ask_for_passwords({"joe": "right"})
    town.config("app:1")


async def wrong_bytes(town):
    fault(town.origin, actions.flip(0), path="/blobs/")
    town.config("app:1")


async def stolen_tag(town):
    """Somebody moves the tag right after it was put."""
    other = "sha256:" + "a" * 64
    fault(
        town.target, actions.headers({"Docker-Content-Digest": other}), method="HEAD|GET", path="/manifests/1$", after=1
    )
    town.config("app:1")


async def immutable_tag(town):
    town.mirrored("app:1", edition="old")
    town.config("app:1")
    body = b'{"errors": [{"code": "TAG_INVALID", "message": "tag is immutable"}]}'
    fault(town.target, actions.reply(400, body), method="PUT", path="/manifests/1$")


async def unreachable_origin(town):
    await town.origin.server.refuse()
    town.config("app:1")


async def unreachable_target(town):
    await town.target.server.refuse()
    town.config("app:1")


async def failing_target(town):
    fault(town.target, actions.reply(503), method="POST")
    town.config("app:1")


async def spent_budget(town):
    body = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit"}]}'
    fault(town.origin, actions.reply(429, body), method="GET", path="/app/manifests/")
    town.config("app:1")


async def failed_and_deferred(town):
    await spent_budget(town)
    town.config("app:1", "gone:1")


async def broken_file(town):
    town.shell.write("version: 1\nimges: []\n")


async def plain(town):
    town.config("app:1")


async def changed_target(town):
    town.mirrored("app:1", edition="changed")
    town.config("app:1")


async def lost_target(town):
    town.mirrored("app:2")
    town.config("app:1")


CASES = [
    # cause, command line, exit code
    (plain, SYNC, 0),
    (in_place, SYNC, 0),
    (in_place, ("verify", "--deep"), 0),
    (missing_tag, SYNC, 1),
    (missing_everything, SYNC, 1),
    (immutable_tag, SYNC, 1),
    (unreachable_origin, SYNC, 1),
    (unreachable_target, SYNC, 1),
    (failing_target, SYNC, 1),
    (failed_and_deferred, SYNC, 1),
    (broken_file, SYNC, 2),
    (broken_file, ("check",), 2),
    (plain, ("sync", "--nonsense"), 2),
    (plain, ("sync", "--only", "nothing"), 2),
    (plain, ("sync", "--only", "nothing", "--allow-empty"), 0),
    (plain, ("sync", "--jobs", "0"), 2),
    (plain, ("apply", "absent.json"), 2),
    (plain, ("copy", "UPPER", "x"), 2),
    (refusing_origin, SYNC, 3),
    (refusing_target, SYNC, 3),
    (wrong_bytes, SYNC, 4),
    (stolen_tag, SYNC, 4),
    (plain, ("plan", "--detailed-exitcode"), 5),
    (plain, ("plan",), 0),
    (changed_target, ("verify",), 5),
    (lost_target, ("verify",), 5),
    (spent_budget, SYNC, 6),
]


@pytest.mark.parametrize(("cause", "command", "code"), CASES, ids=lambda value: getattr(value, "__name__", None))
async def test_law_7_each_cause_has_its_exit_code(town, cause, command, code):
    town.publish("app:1")
    await cause(town)

    ran = await town.shell.run(*command)

    assert ran.code == code, ran
    assert "Traceback" not in ran.err
