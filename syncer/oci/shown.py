"""How text from outside is quoted in a message."""

from __future__ import annotations

_LONGEST = 120


def shown(text: object) -> str:
    """`text` in quotes, on one line, in ASCII and of bounded length, whatever it contains.

    It may come from a hostile registry: control characters and terminal escapes must not reach a log.
    """
    quoted = ascii(str(text)[: _LONGEST + 1])
    return quoted if len(quoted) <= _LONGEST else f"{quoted[: _LONGEST - 4]}...{quoted[0]}"


def harmless(text: str) -> str:
    """`text` with all that a terminal would obey written out: control characters, escapes, turns of direction."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)
