"""The list of guards is complete and true: `make guards` switches off every one of them."""

from collections import Counter

import guards
import pytest
from proofs import is_left_out, proving

LISTED = guards.listed()


def test_every_if_that_raises_is_listed():
    missing = [str(guard) for guard in guards.found() if guard not in LISTED]
    assert missing == [], "find tests for them: python tests/guards.py --find TESTS"


def test_nothing_is_listed_that_is_not_there():
    there = set(guards.found())
    assert [str(guard) for guard in LISTED if isinstance(guard, guards.Guard) and guard not in there] == []


def test_nothing_is_listed_twice():
    lines = [line for line in guards.LIST.read_text().splitlines() if line and not line.startswith("#")]
    assert [line for line, count in Counter(lines).items() if count > 1] == []


@pytest.mark.parametrize("guard", [guard for guard in LISTED if isinstance(guard, guards.Deed)], ids=str)
def test_what_guards_by_being_done_is_done(guard):
    source = (guards.ROOT / "syncer" / guard.path).read_text()
    assert guard.switched_off(source) != source


@pytest.mark.parametrize("test", sorted(set(LISTED.values())))
def test_each_test_of_a_guard_is_run(test):
    path, _, name = test.partition("::")
    tests = proving(path)
    assert name in tests
    assert not is_left_out(tests[name])
