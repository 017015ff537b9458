"""Every promise in docs/promises.md has tests that prove it, and they are there to be run."""

import re
from pathlib import Path

import pytest
from proofs import is_left_out, proving

ROOT = Path(__file__).parent.parent
LINES = re.findall(r"^\| (P\d+) \| (.+?) \| (.+) \|$", (ROOT / "docs" / "promises.md").read_text(), re.MULTILINE)
PROOFS = [(promise, proof) for promise, _, proofs in LINES for proof in re.findall("`(tests/[^`]+)`", proofs)]


def test_the_promises_are_all_there():
    assert [promise for promise, _, _ in LINES] == [f"P{number}" for number in range(1, 23)]
    assert {promise for promise, _ in PROOFS} == {promise for promise, _, _ in LINES}


@pytest.mark.parametrize(("promise", "proof"), PROOFS)
def test_each_proof_is_a_test_that_is_run(promise, proof):
    path, _, name = proof.partition("::")
    tests = proving(path)
    assert tests, f"{promise}: no test is in {path}"
    assert not name or (name in tests and not is_left_out(tests[name])), f"{promise}: {proof} is not run"
