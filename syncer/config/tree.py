"""A YAML document as text: mappings, lists and scalars, each with its place in the file; nothing is interpreted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place in the file; both count from 1, and 0:0 is the file as a whole."""

    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar: its text, and what the file has in its place (they differ where variables stood)."""

    value: str
    raw: str
    at: Spot
    end: Spot


@dataclass(frozen=True, slots=True)
class Null:
    """Nothing, `~` or `null`."""

    raw: str
    at: Spot


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    at: Spot


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a mapping, and where its key stands."""

    key_at: Spot
    node: Node


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, with merge keys already merged."""

    entries: Mapping[str, Entry]
    at: Spot
    unread: tuple[tuple[str, Node], ...] = ()  # values of duplicate and overridden keys: secret if they were


Node = Text | Null | Items | Table


def plain(node: Node) -> Any:
    """The same as dicts, lists, text and None."""
    match node:
        case Table(entries=entries):
            return {key: plain(entry.node) for key, entry in entries.items()}
        case Items(items=items):
            return [plain(item) for item in items]
        case Text(value=value):
            return value
        case _:
            return None


def step(node: Node, name: str | int) -> Node:
    """The child of that name or index; the node itself if it has no such child.

    That is what a shorthand needs: in `mirrors: https://host`, the place of `mirrors[0].url` is that text.
    """
    if isinstance(node, Table) and name in node.entries:
        return node.entries[str(name)].node
    if isinstance(node, Items) and isinstance(name, int) and name < len(node.items):
        return node.items[name]
    return node


def find(node: Node, path: Sequence[str | int]) -> Node:
    """The node at `path`, or the last one on the way that exists."""
    for name in path:
        node = step(node, name)
    return node


def key_spot(node: Node, path: Sequence[str | int]) -> Spot:
    """Where the last key of `path` stands; the place of its value if it has no key."""
    parent = find(node, path[:-1])
    name = path[-1]
    if isinstance(parent, Table) and name in parent.entries:
        return parent.entries[str(name)].key_at
    return step(parent, name).at


def child(node: Node, key: str) -> Node | None:
    """The value under `key`; None if `node` is no mapping or has no such key."""
    entry = node.entries.get(key) if isinstance(node, Table) else None
    return entry.node if entry else None


def entries(node: Node, key: str) -> Mapping[str, Entry]:
    """The entries of the mapping under `key`; none if there is no mapping."""
    under = child(node, key)
    return under.entries if isinstance(under, Table) else {}


def items(node: Node, key: str) -> tuple[Node, ...]:
    """The items of the list under `key`; a single value is a list of one, as wherever a list is wanted."""
    under = child(node, key)
    if under is None:
        return ()
    return under.items if isinstance(under, Items) else (under,)


def walk(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Every node below and with `node`, each with the keys that lead to it."""
    yield path, node
    if isinstance(node, Table):
        for key, entry in node.entries.items():
            yield from walk(entry.node, (*path, key))
        for key, value in node.unread:
            yield from walk(value, (*path, key))
    elif isinstance(node, Items):
        for item in node.items:
            yield from walk(item, path)
