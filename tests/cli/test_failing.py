"""What ends a command before its report: a bug, above all."""

import json

import pytest

from syncer.cli.failing import explained
from syncer.cli.signals import Stopped
from syncer.errors import AwsCredentials, CorruptContent, LockHeld, NotFound, Usage
from syncer.sandbox.images import image

FAMILIES = [
    (Usage("x"), 2),
    (LockHeld("x"), 7),
    (AwsCredentials("x"), 3),
    (CorruptContent("x"), 4),
    (NotFound("x"), 1),
    (KeyError("x"), 70),
    (ExceptionGroup("many", [NotFound("x"), CorruptContent("x")]), 4),
    (ExceptionGroup("many", [NotFound("x"), KeyError("x")]), 70),
    (Stopped(143), 143),
]


def ended(options, error: BaseException) -> int:
    with pytest.raises(SystemExit) as caught, explained(options):
        raise error
    return caught.value.code


@pytest.mark.parametrize(("error", "code"), FAMILIES, ids=repr)
def test_the_family_of_an_error_makes_the_exit_code(options, error, code):
    assert ended(options, error) == code


def test_a_bug_shows_where_it_is_and_asks_for_a_report(options, capsys):
    ended(options, KeyError("something"))

    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "error[E900]: syncer met something that it did not expect: KeyError: 'something'" in shown
    assert "please report it" in shown


@pytest.mark.parametrize("options", [{"output": "json", "log_format": "json"}], indirect=True)
def test_a_bug_is_a_document_and_json_lines_too(options, capsys):
    ended(options, KeyError("something"))

    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["code"] == "E900"
    assert [json.loads(line)["kind"] for line in shown.err.splitlines()] == ["critical", "error"]


BROKEN = """
import json

loads = json.loads


def broken(text, *args, **more):
    if {marker!r} in str(text):
        raise ZeroDivisionError("https://joe:sesame@registry.example/")
    return loads(text, *args, **more)


json.loads = broken
"""


async def test_a_bug_that_one_image_meets_costs_it_alone_its_place_and_nobody_the_report(town):
    """Python's own JSON parser fails on one manifest in a way that nobody could foresee."""
    town.publish("app:1", "b:2", "c:3")
    town.config("app:1", "b:2", "c:3")
    (marker, *_) = (entry["digest"] for entry in json.loads(image("b", "2", ["linux/amd64"]).raw)["manifests"])
    town.shell.write(BROKEN.format(marker=marker), "broken/sitecustomize.py")

    ran = await town.shell.run(
        "sync", "-o", "json", "--report", "r.json", PYTHONPATH=str(town.shell.directory / "broken")
    )

    assert (ran.code, ran.statuses) == (70, ["copied", "failed", "copied"])
    assert ran.document["images"][1]["error"]["code"] == "E900"
    assert json.loads((town.shell.directory / "r.json").read_text()) == ran.document
    assert "Traceback" in ran.err
    assert "ZeroDivisionError" in ran.err
    assert "sesame" not in ran.out + ran.err
