"""Every promise in docs/promises.md has tests that prove it, and they are there to be run."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = re.findall(r"^\| (P\d+) \| (.+?) \| (.+) \|$", (ROOT / "docs" / "promises.md").read_text(), re.MULTILINE)
PROOFS = [(promise, proof) for promise, _, proofs in LINES for proof in re.findall("`(tests/[^`]+)`", proofs)]


def proving(path: str) -> dict[str, ast.AST]:
    """What `make test` finds in a file: functions, and classes that are made by assignment."""
    found = {}
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            found[node.name] = node
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found |= {node.targets[0].id: node} if node.targets[0].id.startswith("Test") else {}
    return found


def is_left_out(node: ast.AST) -> bool:
    marks = {ast.unparse(mark).partition("(")[0] for mark in getattr(node, "decorator_list", ())}
    return bool(marks & {"pytest.mark.soak", "pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"})


def test_the_promises_are_all_there():
    assert [promise for promise, _, _ in LINES] == [f"P{number}" for number in range(1, 23)]
    assert {promise for promise, _ in PROOFS} == {promise for promise, _, _ in LINES}


@pytest.mark.parametrize(("promise", "proof"), PROOFS)
def test_each_proof_is_a_test_that_is_run(promise, proof):
    path, _, name = proof.partition("::")
    tests = proving(path)
    assert tests, f"{promise}: no test is in {path}"
    assert not name or (name in tests and not is_left_out(tests[name])), f"{promise}: {proof} is not run"
