"""The guards of the code, each with a test that fails without it.

`make guards` copies the project, switches the guards off one at a time, and expects each one's test to fail. A guard is
an `if` whose body raises, found by reading the code; what guards in another way is listed with what takes its place.
The list is tests/guards.txt, which tests/test_guards.py holds complete.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parent.parent
LIST = Path(__file__).with_name("guards.txt")
NOT_GUARDED = ("sandbox/", "cli/demo/", "content/memory.py")  # doubles and the demo: they promise nothing
LIMIT = 90  # seconds for the test of one guard: some guards keep things from lasting for ever


@dataclass(frozen=True)
class Guard:
    """An `if` that raises: where it stands in the package, and its condition."""

    path: str
    function: str
    condition: str

    def __str__(self) -> str:
        return f"{self.path} | {self.function} | {self.condition}"

    def switched_off(self, source: str) -> str:
        """`source` without this guard."""
        mine = (self.function, self.condition)
        return _replaced(source, [node.test for node, function in _raising(source) if (function, _text(node)) == mine])


@dataclass(frozen=True)
class Deed:
    """What guards by being done: `old` in the text of a module becomes `new`."""

    path: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path} | {self.old} | -> {self.new}"

    def switched_off(self, source: str) -> str:
        """`source` without this guard."""
        assert source.count(self.old) == 1, f"{self}: not there once"
        return source.replace(self.old, self.new)


def found() -> list[Guard]:
    """Every guard that the code has."""
    package = ROOT / "syncer"
    paths = [path.relative_to(package) for path in sorted(package.rglob("*.py"))]
    guarding = [
        path for path in paths if not any(str(path).startswith(name) or name in path.parts for name in NOT_GUARDED)
    ]
    return [
        Guard(str(path), function, _text(node))
        for path in guarding
        for node, function in _raising((package / path).read_text())
    ]


def listed(path: Path = LIST) -> dict[Guard | Deed, str]:
    """Every guard that the list has, with its test."""
    return dict(_entry(line) for line in path.read_text().splitlines() if line and not line.startswith("#"))


def _entry(line: str) -> tuple[Guard | Deed, str]:
    what, test = line.rsplit(" | ", maxsplit=1)
    what, arrow, new = what.partition(" | -> ")
    path, rest = what.split(" | ", maxsplit=1)
    return (Deed(path, rest, new) if arrow else Guard(path, *rest.split(" | ", maxsplit=1))), test


def _raising(source: str) -> Iterator[tuple[ast.If, str]]:
    """The `if`s of a module that raise, each with the name of its function."""
    for function, node in _within(ast.parse(source), ""):
        if isinstance(node, ast.If) and any(isinstance(deed, ast.Raise) for deed in node.body):
            yield node, function


def _within(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        inner = f"{function}.{child.name}".lstrip(".") if named else function
        yield inner, child
        yield from _within(child, inner)


def _text(node: ast.If) -> str:
    return ast.unparse(node.test)


def _replaced(source: str, conditions: Iterable[ast.expr]) -> str:
    """`source` with `False` for each of `conditions`."""
    lines = source.encode().splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    data = source.encode()
    for node in sorted(conditions, key=lambda node: -node.lineno):
        begin, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        data = data[:begin] + b"False" + data[end:]
    return data.decode()


class Copy:
    """A copy of the project, in which guards can be switched off, and an environment that finds no other syncer."""

    def __init__(self, root: Path) -> None:
        self._root = root
        venv.create(root / "env", symlinks=True)
        self._python = root / "env" / "bin" / "python"
        site = next((root / "env").glob("lib/python*/site-packages"))
        (site / "copy.pth").write_text(f"{root}\n{sysconfig.get_path('purelib')}\n")
        for name in ("syncer", "tests", "bench", "docs", ".ci"):
            shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.iterdir():
            if path.is_file():
                shutil.copy2(path, root / path.name)

    def fails(self, guard: Guard | Deed, test: str) -> str:
        """The first test among `test` that fails without `guard`, "" if none does."""
        path = self._root / "syncer" / guard.path
        source = path.read_text()
        path.write_text(guard.switched_off(source))
        try:
            return self._first_failure(test.split())
        finally:
            path.write_text(source)

    def _first_failure(self, tests: list[str]) -> str:
        options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", f"--timeout={LIMIT}", "--tb=no"]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        command = [str(self._python), "-m", "pytest", *options, *tests]
        try:
            ran = subprocess.run(
                command, cwd=self._root, env=environment, capture_output=True, text=True, check=False, timeout=2 * LIMIT
            )
        except subprocess.TimeoutExpired:
            return tests[0]  # it hangs
        failures = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        if failures:
            return failures[0].split()[1]
        if ran.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: no test ran\n{ran.stdout}{ran.stderr}")
        return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", type=Path, default=LIST, help="another list than tests/guards.txt")
    parser.add_argument("--only", default="", help="only guards whose line contains this text")
    parser.add_argument("--find", metavar="TESTS", help="print a line for each guard that is not listed")
    options = parser.parse_args()
    known = listed(options.list)
    tests = {guard: options.find for guard in found() if guard not in known} if options.find else known
    chosen = {guard: test for guard, test in tests.items() if options.only in str(guard)}
    with tempfile.TemporaryDirectory(prefix="guards") as name:
        copy = Copy(Path(name))
        survived = [guard for guard, test in chosen.items() if not _shown(guard, copy.fails(guard, test))]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} guards are noticed when they are switched off")
    return 1 if survived else 0


def _shown(guard: Guard | Deed, failed: str) -> str:
    print(f"{guard} | {failed.partition('[')[0]}" if failed else f"{guard} | SURVIVED", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
