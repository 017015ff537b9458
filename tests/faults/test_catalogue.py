"""The catalogue is complete, and every test that it names exists."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROW = re.compile(r"^\| (F\d+) \|.*\| ([^|]*) \|$", re.MULTILINE)
FOUND = dict(ROW.findall((TESTS / "faults/README.md").read_text()))


def test_every_fault_is_in_it():
    assert list(FOUND) == [f"F{number}" for number in range(1, 27)]


def test_every_test_that_it_names_exists():
    named = [each.strip("`") for cell in FOUND.values() for each in cell.split()]
    assert [each for each in named if not exists(*each.split("::"))] == []


def test_every_test_that_is_called_after_a_fault_is_named():
    called = {
        (number, path.name, name)
        for path in (TESTS / "faults").glob("test_*.py")
        for name, number in re.findall(r"^(?:async )?def (test_f(\d+)_\w+)", path.read_text(), re.MULTILINE)
    }
    assert called
    assert [each for each in called if f"`faults/{each[1]}::{each[2]}`" not in FOUND[f"F{each[0]}"]] == []


def exists(path: str, name: str = "") -> bool:
    """Whether that file of tests exists and, if one is named, that test in it."""
    file = TESTS / path
    return (
        file.is_file() and re.search(rf"^(?:async )?def {name or 'test_'}", file.read_text(), re.MULTILINE) is not None
    )
