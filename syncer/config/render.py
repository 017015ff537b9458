"""A ConfigError as text: each mistake with its line and a caret, and where to read more."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncer.errors import ConfigError, Problem

_GUTTER = 6
_WIDEST = 100  # columns of a line that are shown; longer ones are cut around the caret
_LEAD = 60


def render(error: ConfigError) -> str:
    """Every problem as `path:line:column: error[CODE]: message` with its line, and a closing count."""
    blocks = [_block(error.path, problem) for problem in error.problems]
    count = len(error.problems)
    more = f"`syncer explain {error.problems[0].code}` tells more."
    return "\n".join([*blocks, f"{count} error{'' if count == 1 else 's'}. {more}"])


def _block(path: str, problem: Problem) -> str:
    if not problem.line:
        return f"{path}: error[{problem.code}]: {problem.message}"
    head = f"{path}:{problem.line}:{problem.column}: error[{problem.code}]: {problem.message}"
    if not problem.excerpt.strip():
        return head
    start = max(0, problem.column - 1 - _LEAD) if len(problem.excerpt) > _WIDEST else 0
    line = problem.excerpt[start : start + _WIDEST]
    before = line[: problem.column - 1 - start]
    return f"{head}\n{problem.line:>{_GUTTER}} | {line.rstrip()}\n{'':>{_GUTTER}} | {' ' * _width(before)}^"


def _width(text: str) -> int:
    """Columns that `text` takes on a terminal: East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
