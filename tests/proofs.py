"""Which tests a file has that `make test` runs."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent


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
