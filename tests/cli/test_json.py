"""`-o json` and `--report`: one document on stdout and nothing else, the same in the file."""

import json

import pytest

IMAGE = (
    "source target status digest source_digest resolved_by verified via bytes_moved bytes_reused seconds attempts error"
)
TOP = ["schema_version", "run", "totals", "images", "hosts"]
RUN = ["id", "command", "started", "seconds", "exit_code"]


@pytest.mark.parametrize("command", ["plan", "sync", "verify"])
async def test_a_report_has_the_shape_that_is_promised(town, command):
    town.publish("app:1")
    town.config("app:1", "gone:1")

    ran = await town.shell.run(command, "-o", "json")

    assert list(ran.document)[:5] == TOP
    assert list(ran.document["run"]) == RUN
    assert ran.document["run"]["command"] == command
    assert ran.document["run"]["exit_code"] == ran.code
    assert ran.document["totals"]["images"] == 2
    assert all(list(image)[:13] == IMAGE.split() for image in ran.document["images"])
    assert {image["status"]: image["error"] and image["error"]["code"] for image in ran.document["images"]} == {
        {"plan": "add", "sync": "copied", "verify": "missing"}[command]: None if command != "verify" else "E508",
        "failed": "E508",
    }


@pytest.mark.parametrize(
    "command",
    [("check",), ("version",), ("explain", "E302"), ("explain", "4"), ("schema",), ("demo", "-c", "mirrors.yaml")],
)
async def test_every_command_prints_one_document(town, command):
    town.publish("app:1")
    town.config("app:1")

    ran = await town.shell.run(*command, "-o", "json")

    assert ran.code == 0
    assert command == ("schema",) or next(iter(ran.document)) == "schema_version"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("sync",), "E100"),
        (("check",), "E100"),
        (("demo", "-c", "mirrors.yaml"), "E100"),
        (("explain", "E999"), "E120"),
        (("apply", "absent.json"), "E122"),
        (("sync", "--report", "report.xml"), "E120"),
        (("sync", "--report", "absent/report.json"), "E124"),
        (("plan", "--out", "absent/plan.json"), "E124"),
    ],
)
async def test_what_ends_before_work_is_a_document_too(shell, command, code):
    shell.write("version: 1\nimges: []\n")

    ran = await shell.run(*command, "-o", "json")

    assert (ran.code, ran.document["exit_code"]) == (2, 2)
    assert list(ran.document) == ["schema_version", "exit_code", "error"]
    assert ran.document["error"]["code"] == code
    assert code != "E100" or 2 in [problem["line"] for problem in ran.document["error"]["problems"]]


async def test_a_report_file_is_what_stdout_would_have_been(town):
    town.publish("app:1")
    town.config("app:1", "gone:1")

    ran = await town.shell.run("sync", "-o", "json", "--report", "report.json")
    text = await town.shell.run("sync", "--report", "report.txt")

    assert json.loads((town.shell.directory / "report.json").read_text()) == ran.document
    assert (town.shell.directory / "report.txt").read_text().splitlines()[-1] == text.last
    assert not list(town.shell.directory.glob(".report*"))


async def test_a_report_that_cannot_be_written_is_refused_before_any_work(town):
    town.publish("app:1")
    town.config("app:1")

    ran = await town.shell.run("sync", "--report", "mirrors.yaml/report.json")

    assert ran.code == 2
    assert "error[E124]: mirrors.yaml/report.json cannot be written: Not a directory" in ran.err
    assert not town.world.log.entries
