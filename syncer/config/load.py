"""mirrors.yaml → Settings, or one ConfigError with every mistake; it reads the file and those that it names."""

from __future__ import annotations

import codecs
import hashlib
from typing import TYPE_CHECKING

from syncer.config import models
from syncer.config.check import Reading
from syncer.config.collisions import check_collisions
from syncer.config.compose import compose
from syncer.config.problems import Problems, Unreadable, split_lines
from syncer.config.registries import over, registries
from syncer.config.rules import defaults_of, rules
from syncer.config.targets import targets
from syncer.config.tree import Entry, Node, Null, Spot, Table, walk
from syncer.config.variables import expand
from syncer.settings.rules import Settings
from syncer.settings.timeouts import Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MAX_BYTES = 5 * 1024 * 1024
_FREE = "x-"  # top-level keys that begin so are the user's own: a place for anchors


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings in the file at `path`, with `${VAR}` from `environ`."""
    return load_bytes(content_of(path), str(path), environ, path.parent)


def load_text(text: str, name: str, environ: Mapping[str, str], base_dir: Path) -> Settings:
    """The settings in `text`; messages call it `name`, and relative paths start at `base_dir`."""
    return load_bytes(text.encode("utf-8", "surrogatepass"), name, environ, base_dir)


def load_bytes(content: bytes, name: str, environ: Mapping[str, str], base_dir: Path | None) -> Settings:
    """The settings in the bytes of a file; with no `base_dir` none of the files that it names is opened."""
    text = content[: MAX_BYTES + 1].decode("utf-8", "replace")
    problems = Problems(name, text)
    root = None
    try:
        _check_encoding(content)
        root = compose(text, _expander(text, environ, problems), problems)
        settings = _settings(Reading(problems, base_dir), _without_free_keys(root), name, content)
    except Unreadable as exc:
        problems.stop(exc)
        raise problems.error(root) from exc
    if problems:
        raise problems.error(root)
    return settings


def _settings(reading: Reading, root: Node, name: str, content: bytes) -> Settings:
    for path, node in walk(root):
        if isinstance(node, Null):
            what = f'"{path[-1]}" has no value' if path else "a value is missing"
            reading.problems.add("E105", f"{what}; write one, or leave the key out", node.at)
            reading.problems.spoil(node.at)
    reading.checked(models.Top, root)
    made = targets(reading, root)
    defaults = defaults_of(reading, root)
    placed = rules(reading, root, defaults)
    timeouts = over(Timeouts(), defaults.timeouts) if defaults else Timeouts()
    check_collisions(reading, placed, made)
    return Settings(
        path=name,
        sha256=hashlib.sha256(content).hexdigest(),
        registries=registries(reading, root, timeouts),
        targets=made,
        rules=tuple(each.rule for each in placed),
        timeouts=timeouts,
    )


def _without_free_keys(root: Node) -> Node:
    if not isinstance(root, Table):
        return root
    kept: dict[str, Entry] = {key: entry for key, entry in root.entries.items() if not key.startswith(_FREE)}
    return Table(kept, root.at)


def _expander(text: str, environ: Mapping[str, str], problems: Problems) -> Callable[[str, Spot], str]:
    lines = split_lines(text)

    def expanded(value: str, at: Spot) -> str:
        made, faults = expand(value, environ)
        for fault in faults:
            line = lines[at.line - 1] if at.line <= len(lines) else ""
            found = line.find(fault.written, at.column - 1)
            problems.add("E106", fault.message, Spot(at.line, found + 1) if found >= 0 else at)
        if faults:
            problems.spoil(at)
        return made

    return expanded


def content_of(path: Path) -> bytes:
    """The bytes of a configuration file, not many more than one may have; raises ConfigError."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as exc:
        problems = Problems(str(path))
        missing = isinstance(exc, FileNotFoundError)
        why = "the file cannot be read: there is none; name another with --config, or begin with `syncer demo`"
        problems.add("E101", why if missing else f"the file cannot be read: {exc.strerror or exc}", Spot())
        raise problems.error(None) from exc


def _check_encoding(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise Unreadable("E108", f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB")
    if content.startswith(codecs.BOM_UTF8):
        raise Unreadable("E101", "begins with a byte order mark; save the file as UTF-8 without one", Spot(1, 1))
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as exc:
        before = split_lines(content[: exc.start].decode("utf-8"))
        at = Spot(len(before), len(before[-1]) + 1)
        raise Unreadable("E101", f"not UTF-8: byte 0x{content[exc.start]:02x}; save the file as UTF-8", at) from exc
