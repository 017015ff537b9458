"""The mistakes of one file: collected while it is read, shown with their lines, without its secrets."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from syncer.config.tree import Node, Spot, Text, walk
from syncer.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 80
_LONGEST_LINE = 500  # what is longer is not shown
_MOST = 500  # mistakes that are listed: a file with more is of some other kind
_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML 1.1 counts as the end of a line
_SMELLS = r"pass|pwd|secret|token(?!_realms)|credential"
_SECRET = re.compile(_SMELLS, re.IGNORECASE)
_SECRET_KEY = re.compile(rf".*?(?:{_SMELLS}|\bauth\b)[\w-]*[\"']?(?:\s*:\s*)?", re.IGNORECASE)
_USERINFO = re.compile(r"""(?:(?<=://)[^\s"']*|[^\s"'\[{,/:]+:[^\s"'@/]+)@(?!sha(?:256|512):)""")
_MASK = "***"
_START = Spot(1, 1)


class Unreadable(Exception):
    """The file cannot be read past this place."""

    def __init__(self, code: str, message: str, at: Spot = _START) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at


class Problems:
    """A collector of mistakes; the same mistake at the same place counts once, as in a map used by two aliases."""

    def __init__(self, path: str, text: str = "") -> None:
        self._path = path
        self._text = text
        self._found: set[tuple[Spot, str, str]] = set()
        self._spoiled: set[Spot] = set()

    def add(self, code: str, message: str, at: Spot) -> None:
        """Remember a mistake; Unreadable if there are too many."""
        if at in self._spoiled:
            return
        if len(self._found) == _MOST:
            raise Unreadable("E108", f"there are more than {_MOST} mistakes; the others are not listed", at)
        self._found.add((at, code, message))

    def stop(self, last: Unreadable) -> None:
        """Remember what ended the reading."""
        self._found.add((last.at, last.code, last.message))

    def spoil(self, at: Spot) -> None:
        """Expect nothing of the value there: why it is unknown has been said."""
        self._spoiled.add(at)

    def __len__(self) -> int:
        return len(self._found)

    def error(self, root: Node | None) -> ConfigError:
        """Everything found, by line; `root` says where secrets stand, None if the file is no YAML."""
        lines = _masked(self._text, root)
        return ConfigError(self._path, [_problem(lines, *found) for found in sorted(self._found)])


def split_lines(text: str) -> list[str]:
    """The lines of a YAML file, as its parser counts them."""
    return _BREAKS.split(text)


def quoted(text: str) -> str:
    """`text` in double quotes, on one line and of bounded length."""
    return f'"{_printable(text[:_LONGEST])}"' if len(text) <= _LONGEST else f'"{_printable(text[: _LONGEST - 3])}..."'


def guess(word: str, known: Iterable[str]) -> str:
    """`, did you mean "source"?` where one of `known` is close to `word`, else nothing."""
    near = difflib.get_close_matches(word[:_LONGEST].lower(), sorted(known), n=1)
    return f', did you mean "{near[0]}"?' if near else ""


def _problem(lines: list[str], at: Spot, code: str, message: str) -> Problem:
    """With its line; what is missing at the end of the file, which may lie below it, is shown on the last one."""
    if not at.line:
        return Problem(code, message)
    if at.line > len(lines):
        at = Spot(len(lines), len(lines[-1]) + 1)
    line = lines[at.line - 1]
    excerpt = _printable(_USERINFO.sub(f"{_MASK}@", line)) if len(line) <= _LONGEST_LINE else ""
    return Problem(code, message, at.line, at.column, excerpt)


def _printable(text: str) -> str:
    return "".join(
        char if char.isprintable() else " " if char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def _masked(text: str, root: Node | None) -> list[str]:
    """The lines of the file, with what is secret covered."""
    lines = split_lines(text)
    return _guessed(lines) if root is None else _covered(lines, root)


def _covered(lines: list[str], root: Node) -> list[str]:
    secrets = {node for path, node in walk(root) if isinstance(node, Text) and _is_secret(path)}
    for node in sorted(secrets, key=lambda node: node.at, reverse=True):
        for number in range(node.at.line, min(node.end.line, len(lines)) + 1):
            line = lines[number - 1]
            start = node.at.column - 1 if number == node.at.line else 0
            stop = node.end.column - 1 if number == node.end.line else len(line)
            lines[number - 1] = line[:start] + (_MASK if stop > start else "") + line[stop:]
    return lines


def _is_secret(path: tuple[str, ...]) -> bool:
    """Whether a value is secret by its keys: also where a key is misspelt, or the value is of the wrong kind."""
    return any(_SECRET.search(key) for key in path) or ("auth" in path and path[-1] != "username")


def _guessed(lines: list[str]) -> list[str]:
    """The same without a tree: from a key that smells of secrets to the end of its block."""
    covered: list[str] = []
    indent: int | None = None
    for line in lines:
        space = line[: len(line) - len(line.lstrip())]
        depth = len(space)
        if indent is not None and (not line.strip() or depth > indent or "\t" in space):
            covered.append(_MASK)
            continue
        found = _SECRET_KEY.match(line[:_LONGEST_LINE])
        indent = depth if found else None
        covered.append(found.group() + _MASK if found else line)
    return covered
