"""JSON from the network, read so that no other reader can see something else in it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from syncer.oci.shown import shown

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

Kind = TypeVar("Kind")

MAX_BYTES = 4 * 1024 * 1024  # docker-registry refuses larger manifests, other clients read no more either
_BEGINNINGS = (b",", b"[", b"{")  # of values; those inside strings count as well
MAX_PARTS = 150_000  # a list of 100,000 tags fits; 4 MiB of "[],[],..." would take a hundred when read


def loads(data: bytes, limit: int = MAX_BYTES, most: int = MAX_PARTS) -> Any:
    """The value that `data` holds; ValueError with the reason if it is not plain JSON.

    Refused: more than `limit` bytes or `most` values, anything but UTF-8, a byte order mark, duplicate keys
    (readers differ in which one wins), NaN and infinities, lone surrogates, nesting beyond Python's stack.
    """
    if len(data) > limit:
        raise ValueError(f"the document has {len(data)} bytes; {limit} are the limit")
    if sum(map(data.count, _BEGINNINGS)) > most:
        raise ValueError(f"the document has more than {most} values")
    try:
        return _loads(data.decode("utf-8"))
    except UnicodeError as exc:
        raise ValueError("the document is not UTF-8 text") from exc
    except RecursionError as exc:
        raise ValueError("the document is nested too deeply") from exc
    except json.JSONDecodeError as exc:
        raise ValueError(f"the document is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}") from exc


def fields(value: Any, known: AbstractSet[str], what: str) -> dict[str, Any]:
    """The members of the JSON object `value`; ValueError if it is none, or has a known key in another spelling.

    Go matches keys without regard to case: of `layers` and `Layers` it may take either, Python only the first.
    """
    members = _as(dict, value, f"{what} is not a JSON object")
    folded = {key.casefold() for key in known}
    for key in members:
        if key not in known and key.casefold() in folded:
            raise ValueError(f"{what} has the key {shown(key)}, which readers confuse with {key.casefold()!r}")
    return members


def text(members: dict[str, Any], key: str, default: str | None = None) -> str:
    """The string under `key`; where it is absent or null, `default`, or ValueError if there is none."""
    value = members.get(key)
    value = default if value is None else value
    return _as(str, value, f"{key} is {'missing' if value is None else 'not a string'}")


def items(members: dict[str, Any], key: str, limit: int) -> list[Any]:
    """The array under `key`, of at most `limit` items; empty where it is absent or null, Go's form of an empty list."""
    value = members.get(key)
    values = _as(list, [] if value is None else value, f"{key} is not an array")
    if len(values) > limit:
        raise ValueError(f"{key} has {len(values)} entries; {limit} are the limit")
    return values


def texts(members: dict[str, Any], key: str, limit: int = 100) -> tuple[str, ...]:
    """The array of strings under `key`, empty where it is absent."""
    values = items(members, key, limit)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key} holds something other than strings")
    return tuple(values)


def text_pairs(members: dict[str, Any], key: str) -> tuple[tuple[str, str], ...]:
    """The object of strings under `key`, such as annotations, in its order; empty where it is absent."""
    value = members.get(key)
    pairs = _as(dict, {} if value is None else value, f"{key} is not an object")
    if not all(isinstance(text, str) for text in pairs.values()):
        raise ValueError(f"{key} holds something other than strings")
    return tuple(pairs.items())


def _as(kind: type[Kind], value: Any, otherwise: str) -> Kind:
    if not isinstance(value, kind):
        raise ValueError(otherwise)  # noqa: TRY004 -- the data is at fault, not the caller
    return value


def _loads(document: str) -> Any:
    if document.startswith("\ufeff"):
        raise ValueError("the document starts with a byte order mark")
    value = json.loads(document, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite)
    if "\\u" in document:  # only an escape can hide a lone surrogate; encoding finds it
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise ValueError(f"the key {shown(key)} appears twice")
        members[key] = value
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {shown(digits)} is out of range")
    return number
