"""One piece of the tree against its model: pydantic's errors as problems with places and plain words."""

from __future__ import annotations

import ssl
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from syncer.config.problems import Problems, guess, quoted
from syncer.config.tree import Items, Node, Spot, Table, Text, find, key_spot, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_MAX_SECRET = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """What every piece needs: where mistakes go, and where relative paths start."""

    problems: Problems
    base: Path | None  # None: the files that the configuration names are not looked at

    def checked(self, model: type[M], node: Node) -> M | None:
        """The node as `model`; None if it has mistakes, which are then noted."""
        try:
            return model.model_validate(plain(node))
        except ValidationError as exc:
            for error in exc.errors(include_url=False, include_input=False):
                self._note(model, node, error)
            return None

    def path(self, text: str, node: Node) -> Path | None:
        """The file that `text` names, relative to the configuration; None, and a problem, if it cannot be read."""
        if self.base is None:
            return None
        path = self.base / text
        try:
            why = "" if path.is_file() else "no such file"  # opening a pipe would wait for its writer
            if not why:
                path.open("rb").close()
        except (OSError, ValueError) as exc:
            why = _why(exc)
        if why:
            self.problems.add("E113", f"{as_written(node)} cannot be read: {why}", node.at)
        return None if why else path

    def authorities(self, text: str, node: Node) -> Path | None:
        """The PEM file that `text` names; None, and a problem, if it holds no certificate."""
        path = self.path(text, node)
        try:
            if path:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except (OSError, ValueError):  # an SSLError is an OSError
            self.problems.add("E113", f"{as_written(node)} holds no certificates in PEM form", node.at)
        return path

    def secret(self, text: str, node: Node) -> str | None:
        """The content of a file without its last line break; None, and a problem, if there is none."""
        path = self.path(text, node)
        if path is None:
            return None
        try:
            content = _short_text(path)
        except (OSError, ValueError) as exc:
            self.problems.add("E113", f"{as_written(node)} cannot be read: {_why(exc)}", node.at)
            return None
        content = content.removesuffix("\n").removesuffix("\r")
        if not content:
            self.problems.add("E113", f"{as_written(node)} is empty", node.at)
        return content or None

    def _note(self, model: type[BaseModel], node: Node, error: ErrorDetails) -> None:
        path = error["loc"]
        where = find(node, path)
        code, message = _translated(model, where, error)
        self.problems.add(code, message, _place(error["type"], node, where, path))


def _short_text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_MAX_SECRET + 1)
    if len(content) > _MAX_SECRET:
        raise ValueError(f"larger than {_MAX_SECRET // 1024} KiB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None  # whose message would show a part of the secret


def _why(exc: Exception) -> str:
    """Without the path, which a variable may hold."""
    return str(getattr(exc, "strerror", None) or exc)


def as_written(node: Node) -> str:
    """A value as the file has it: with its variables, not with what they hold."""
    return quoted(node.raw) if isinstance(node, Text) else "this value"


def _place(kind: str, node: Node, where: Node, path: tuple[str | int, ...]) -> Spot:
    if kind == "missing":
        return find(node, path[:-1]).at
    return key_spot(node, path) if kind == "extra_forbidden" else where.at


def _translated(model: type[BaseModel], where: Node, error: ErrorDetails) -> tuple[str, str]:
    kind, path, context = error["type"], error["loc"], error.get("ctx", {})
    key = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return "E102", f"unknown key {quoted(key)}{guess(key, _known_keys(model, path[:-1]))}"
    if kind == "missing":
        return "E103", f"the key {quoted(key)} is missing"
    code = context.get("code") or ("E112" if kind == "value_error" else "E105")
    if isinstance(where, Text) and where.raw != where.value:
        return code, f"{quoted(where.raw)} does not expand to a value that is valid here"
    return code, _reason(kind, where, error, context)


def _reason(kind: str, where: Node, error: ErrorDetails, context: dict[str, Any]) -> str:
    match kind:
        case "E":
            return str(context["why"])
        case "value_error":
            return str(context["error"])
        case "enum":
            reason = f"must be one of {context['expected']}, not {as_written(where)}"
        case "greater_than_equal" | "less_than_equal":
            reason = "must be " + (f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}")
        case "too_short" | "string_too_short":
            reason = "must not be empty"
        case _ if kind in _WANTED:
            reason = f"must be {_WANTED[kind]}, not {_kind_of(where, kind)}"
        case _:
            reason = error["msg"]
    return reason


def _kind_of(node: Node, wanted: str) -> str:
    match node:
        case Table():
            return "a mapping"
        case Items():
            return "a list"
        case _ if wanted == "model_type":
            return "text"  # which may be a secret: `auth: PASSWORD`
        case _:
            return as_written(node)


def _known_keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys that the model at `path` below `model` has."""
    for name in path:
        field = model.model_fields.get(name) if isinstance(name, str) else None
        if field is not None:
            model = next(_models(field.annotation), model)
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models(inner)
