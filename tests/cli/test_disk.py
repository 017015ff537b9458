"""A disk that is full, cannot be written or has no inode left: where state, lock, spool and report lie.

Each disk is a small one of its own, in a mount namespace that ends with the command.
"""

from __future__ import annotations

import json

import pytest

DISKS = {
    "full": "mount -t tmpfs -o size=4k none disk; head -c 4096 /dev/zero > disk/fill",
    "without inodes": "mount -t tmpfs -o nr_inodes=1 none disk",
    "read-only": "mount -t tmpfs -o ro none disk",
}
OWN_DISKS = ("unshare", "--map-root-user", "--mount", "sh", "-ec")
EVERY = pytest.mark.parametrize("kind", DISKS)


def on(shell, kind: str) -> tuple[str, ...]:
    """The beginning of a command that has that kind of disk at `disk`."""
    (shell.directory / "disk").mkdir()
    return (*OWN_DISKS, f'{DISKS[kind]}; exec "$@"', "sh")


def clear(ran) -> bool:
    """Whether a person can make something of it."""
    return "Traceback" not in ran.err and "E900" not in ran.out + ran.err


@EVERY
async def test_a_state_that_cannot_be_kept_costs_a_warning_and_no_image(town, kind):
    town.publish("app:1")
    town.config("app:1")

    ran = await town.shell.run(
        "sync", "-o", "json", "--state-dir", "disk", "--report", "r.json", before=on(town.shell, kind)
    )

    lacking = "no state: disk" if kind == "full" else "no state and no lock: disk"
    assert (ran.code, ran.statuses) == (0, ["copied"])
    assert clear(ran)
    assert any(warning.startswith(lacking) for warning in ran.document["warnings"]), ran.document["warnings"]
    assert list(town.tags("app")) == ["1"]


@EVERY
async def test_a_spool_that_cannot_be_kept_costs_no_image(town, kind):
    town.publish("app:1")
    town.config("app:1")

    ran = await town.shell.run("sync", "-o", "json", "--spool-dir", "disk/spool", before=on(town.shell, kind))

    assert (ran.code, ran.statuses) == (0, ["copied"])
    assert clear(ran)
    told = [warning for warning in ran.document.get("warnings", []) if warning.startswith("no spool: disk/spool")]
    assert len(told) == (0 if kind == "full" else 1)  # a directory without a file in it needs no room


@EVERY
async def test_a_report_that_cannot_be_kept_is_refused_at_once_or_told_in_the_end(town, kind):
    town.publish("app:1")
    town.config("app:1")

    ran = await town.shell.run("sync", "-o", "json", "--report", "disk/r.json", before=on(town.shell, kind))

    assert "error[E124]: disk/r.json cannot be written" in ran.err
    assert "next: check that the directory exists, is writable and has room" in ran.err
    assert clear(ran)
    if kind == "full":  # that shows when there is something to write
        assert (ran.code, ran.statuses, list(town.tags("app"))) == (1, ["copied"], ["1"])
    else:
        assert (ran.code, json.loads(ran.out)["error"]["code"]) == (2, "E124")
        assert town.tags("app") == {}


async def test_a_disk_that_is_full_leaves_the_last_report_as_it_was(town):
    town.publish("app:1")
    town.config("app:1")
    (town.shell.directory / "disk").mkdir()
    script = (
        "mount -t tmpfs -o size=8k none disk; echo yesterday > disk/r.json; head -c 4096 /dev/zero > disk/fill; "
        'code=0; "$@" || code=$?; cp -r disk kept; exit $code'
    )

    ran = await town.shell.run("sync", "--report", "disk/r.json", before=(*OWN_DISKS, script, "sh"))

    assert ran.code == 1
    assert (town.shell.directory / "kept/r.json").read_text() == "yesterday\n"
    assert sorted(path.name for path in (town.shell.directory / "kept").iterdir()) == ["fill", "r.json"]
