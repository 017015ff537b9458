"""Holds requests and answers against botocore's service model: what the service refuses is refused here.

botocore itself checks required members, types and minimum lengths before it sends; maximum lengths,
patterns and enums are only checked by the service. All of them are checked here.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, Shape, StructureShape

from syncer.sandbox.ecr.failures import Failure, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "blob": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}


LENGTH = "Member must have length "


class ModelViolationError(AssertionError):
    """An answer of the sandbox that the service could not give: a bug of the sandbox."""


def check_request(shape: StructureShape, value: Any, code: str) -> None:
    """Refuse `value` as the service would; `code` is the error that the operation declares for it."""
    for where, constraint in problems(shape, value, ""):
        if constraint.startswith("expected "):
            raise Failure("SerializationException", f"{where or 'request'}: {constraint}")
        raise invalid(where, constraint, code)


def check_answer(shape: StructureShape | None, value: dict[str, Any]) -> None:
    """Raise ModelViolationError if `value` has a member, a type or a value that the model lacks.

    Lengths are let pass: a list of 1 to 100 images in a request is one of 0 to 1000 in an answer.
    """
    if shape is None:
        found = [("", "the operation has no answer")] if value else []
    else:
        found = [one for one in problems(shape, value, "") if not one[1].startswith(LENGTH)]
    if found:
        raise ModelViolationError(str(found))


def problems(shape: Shape, value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Where `value` breaks `shape`, and the constraint that it breaks."""
    expected = TYPES[shape.type_name]
    if not _is_a(value, expected):
        yield where, f"expected {shape.type_name}"
        return
    yield from _constraints(shape, value, where)
    if isinstance(shape, StructureShape):
        yield from _members(shape, value, where)
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value, 1):
            yield from problems(shape.member, item, f"{where}.{number}.member")


def _is_a(value: Any, expected: type | tuple[type, ...]) -> bool:
    """Python counts True as an integer, JSON does not."""
    return isinstance(value, expected) and (expected is bool or not isinstance(value, bool))


def _members(shape: StructureShape, value: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    prefix = f"{where}." if where else ""
    for name in shape.required_members:
        if name not in value:
            yield prefix + name, "Member must not be null"
    for name, member in value.items():
        if name not in shape.members:
            yield prefix + name, "Member is unknown to the service model"
        else:
            yield from problems(shape.members[name], member, prefix + name)


def _constraints(shape: Shape, value: Any, where: str) -> Iterator[tuple[str, str]]:
    metadata = shape.metadata
    size, noun = _size(shape, value)
    if "min" in metadata and size < metadata["min"]:
        yield where, f"Member must have {noun} greater than or equal to {metadata['min']}"
    if "max" in metadata and size > metadata["max"]:
        yield where, f"Member must have {noun} less than or equal to {metadata['max']}"
    if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
        yield where, f"Member must satisfy regular expression pattern: {metadata['pattern']}"
    if "enum" in metadata and value not in metadata["enum"]:
        yield where, f"Member must satisfy enum value set: [{', '.join(metadata['enum'])}]"


def _size(shape: Shape, value: Any) -> tuple[int | float, str]:
    if shape.type_name in {"integer", "long", "float", "double", "timestamp"}:
        return value, "value"
    if shape.type_name == "blob":
        return len(decoded(value)), "length"
    return (len(value), "length") if shape.type_name in {"string", "list"} else (0, "length")


def decoded(text: str) -> bytes:
    """The bytes of a blob member, which travels as base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise Failure("SerializationException", "a blob member must be base64") from exc
