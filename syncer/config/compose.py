"""YAML text → tree: aliases and merge keys followed, within bounds that hold whatever the file says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from syncer.config.problems import Unreadable, quoted, split_lines
from syncer.config.tree import Entry, Items, Node, Null, Spot, Table, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from syncer.config.problems import Problems

MAX_NODES = 200_000  # after aliases are followed: an alias bomb of 300 bytes would take gigabytes
MAX_DEPTH = 32  # the deepest key of the schema is at 6
_NULLS = {"", "~", "null", "Null", "NULL"}
_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_MERGE = "<<"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it: ten times faster


@dataclass(frozen=True, slots=True)
class _Built:
    """A node, how many nodes it stands for, and how many levels are below it."""

    node: Node
    size: int
    height: int


def compose(text: str, expand: Callable[[str, Spot], str], problems: Problems, loader: Any = LOADER) -> Node:
    """The one document in `text`, every value (no key) through `expand`.

    What can be read past (duplicate keys, tags) goes to `problems`; Unreadable for the rest.
    """
    try:
        return _Composer(yaml.parse(text, Loader=loader), expand, problems).document()
    except yaml.MarkedYAMLError as exc:
        raise _syntax(exc, text) from exc
    except yaml.reader.ReaderError as exc:
        raise Unreadable("E101", f"not valid YAML: {exc.reason}", _at_index(text, exc.position)) from exc


class _Composer:
    """Reads events, whose classes differ between PyYAML's two parsers and are untyped."""

    def __init__(self, events: Iterator[Any], expand: Callable[[str, Spot], str], problems: Problems) -> None:
        self._events = events
        self._expand = expand
        self._problems = problems
        self._anchors: dict[str, _Built | None] = {}  # None: not complete yet
        self._total = 0

    def document(self) -> Node:
        next(self._events)  # the stream's start
        if not isinstance(next(self._events), yaml.DocumentStartEvent):
            raise Unreadable("E107", "the file is empty")
        root = self._node(next(self._events), 1).node
        next(self._events)  # the document's end
        more = next(self._events)
        if isinstance(more, yaml.DocumentStartEvent):
            raise Unreadable("E101", "a second document begins here; one file is one document", _spot(more))
        if isinstance(root, Null):
            raise Unreadable("E107", "the file is empty")
        return root

    def _node(self, event: Any, depth: int) -> _Built:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._charge(1, depth, event)
        if event.anchor:
            self._anchors[event.anchor] = None
        built = self._fresh(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = built
        return built

    def _fresh(self, event: Any, depth: int) -> _Built:
        before = self._total - 1
        if event.tag not in _TAGS:
            self._problems.add("E101", f"the tag {quoted(event.tag)} is not allowed; values are text", _spot(event))
        node, height = self._content(event, depth)
        return _Built(node, self._total - before, height)

    def _content(self, event: Any, depth: int) -> tuple[Node, int]:
        if isinstance(event, yaml.MappingStartEvent):
            return self._table(event, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(event, depth)
        return self._scalar(event), 0

    def _alias(self, event: Any, depth: int) -> _Built:
        if event.anchor not in self._anchors:
            raise Unreadable("E101", f"no anchor is called &{event.anchor} above this line", _spot(event))
        built = self._anchors[event.anchor]
        if built is None:
            raise Unreadable("E108", f"the alias *{event.anchor} contains itself", _spot(event))
        self._charge(built.size, depth + built.height, event)
        return built

    def _charge(self, nodes: int, depth: int, event: Any) -> None:
        self._total += nodes
        if self._total > MAX_NODES:
            raise Unreadable("E108", f"the file expands to more than {MAX_NODES} values here", _spot(event))
        if depth > MAX_DEPTH:
            raise Unreadable("E108", f"nested deeper than {MAX_DEPTH} levels", _spot(event))

    def _scalar(self, event: Any) -> Text | Null:
        at = _spot(event)
        if event.implicit[0] and event.value in _NULLS:
            return Null(event.value, at)
        end = Spot(event.end_mark.line + 1, event.end_mark.column + 1)
        return Text(self._expand(event.value, at), event.value, at, end)

    def _items(self, event: Any, depth: int) -> tuple[Items, int]:
        built: list[_Built] = []
        while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
            built.append(self._node(item, depth + 1))
        height = max((each.height for each in built), default=0)
        return Items(tuple(each.node for each in built), _spot(event)), height + 1

    def _table(self, event: Any, depth: int) -> tuple[Table, int]:
        own: dict[str, Entry] = {}
        unread: list[tuple[str, Node]] = []
        height = 0
        while not isinstance(key_event := next(self._events), yaml.MappingEndEvent):
            key, key_at = self._key(key_event, depth), _spot(key_event)
            value = self._node(next(self._events), depth + 1)
            height = max(height, value.height)
            if key in own:
                first = own[key].key_at.line
                self._problems.add("E104", f"duplicate key {quoted(key)} (first on line {first})", key_at)
            if key is None or key in own:
                unread.append((key or "", value.node))
            else:
                own[key] = Entry(key_at, value.node)
        entries = self._merged(own, unread)
        return Table(entries, _spot(event), tuple(unread)), height + 1

    def _key(self, event: Any, depth: int) -> str | None:
        if isinstance(event, yaml.ScalarEvent) and not event.anchor:
            self._charge(1, depth, event)
            return str(event.value)
        node = self._node(event, depth + 1).node
        if isinstance(node, Text | Null):
            return node.raw
        self._problems.add("E105", "a key must be text", _spot(event))
        return None

    def _merged(self, own: dict[str, Entry], unread: list[tuple[str, Node]]) -> dict[str, Entry]:
        """`own` with the maps under its merge key: own keys win, then earlier maps over later ones."""
        if _MERGE not in own:
            return own
        merge = own.pop(_MERGE)
        for source in merge.node.items if isinstance(merge.node, Items) else (merge.node,):
            if isinstance(source, Table):
                unread += [(key, entry.node) for key, entry in source.entries.items() if key in own]
                own = {**source.entries, **own}
            else:
                self._problems.add("E105", "`<<` merges a mapping or a list of mappings", merge.key_at)
                unread.append((_MERGE, source))
        return own


def _spot(event: Any) -> Spot:
    return Spot(event.start_mark.line + 1, event.start_mark.column + 1)


def _at_index(text: str, index: int) -> Spot:
    before = split_lines(text[:index])
    return Spot(len(before), len(before[-1]) + 1)


def _syntax(exc: yaml.MarkedYAMLError, text: str) -> Unreadable:
    mark = exc.problem_mark or exc.context_mark
    if mark is None:
        return Unreadable("E101", f"not valid YAML: {exc.problem}")
    if "nesting depth" in str(exc.problem):  # libyaml's own bound, met while it looks ahead
        return Unreadable("E108", f"nested deeper than {MAX_DEPTH} levels", Spot(mark.line + 1, mark.column + 1))
    lines = split_lines(text)
    line = lines[mark.line] if mark.line < len(lines) else ""
    advice = ""
    if "\t" in line[: mark.column + 1]:
        advice = "; a tab cannot be used here, indent with spaces"
    elif "${" in line:
        advice = "; inside { } or [ ], put quotes around a value with ${...}"
    return Unreadable("E101", f"not valid YAML: {exc.problem}{advice}", Spot(mark.line + 1, mark.column + 1))
