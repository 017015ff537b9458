"""`${VAR}` in values: expanded once, never in keys, and what comes out is never looked at again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARK = re.compile(r"\$\$|\$\{(?P<inside>[^}]*)(?P<close>\}?)")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<operator>:-|:\?|)(?P<word>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """A variable that cannot be expanded: as it is written, and why."""

    written: str
    message: str


def expand(text: str, environ: Mapping[str, str]) -> tuple[str, list[Fault]]:
    """`text` with its variables replaced, and those that could not be.

    `${VAR}`, `${VAR:-default}` (also if it is empty), `${VAR:?message}`, and `$$` for a `$` before a brace.
    A `$` before anything else is itself.
    """
    if "$" not in text:
        return text, []
    faults: list[Fault] = []

    def replace(mark: re.Match[str]) -> str:
        if mark.group() == "$$":
            return "$"
        value = _value(mark, environ)
        if isinstance(value, Fault):
            faults.append(value)
            return ""
        return value

    return _MARK.sub(replace, text), faults


def _value(mark: re.Match[str], environ: Mapping[str, str]) -> str | Fault:
    written = mark.group()
    if not mark["close"]:
        return Fault(written, "`${` is not closed by `}`; write `$${` for the characters themselves")
    parts = _INSIDE.fullmatch(mark["inside"])
    if parts is None or (parts["word"] and not parts["operator"]):
        return Fault(written, "a variable is written ${NAME}, ${NAME:-default} or ${NAME:?message}")
    name, operator, word = parts["name"], parts["operator"], parts["word"]
    value = environ.get(name)
    if operator == ":-":
        return value or word
    if operator == ":?" and not value:
        return Fault(written, f"the variable {name} is not set: {word or 'a value is required'}")
    if value is None:
        return Fault(written, f"the variable {name} is not set; set it, or write a default: ${{{name}:-...}}")
    return value
