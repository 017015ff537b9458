"""The repository speaks of the project alone: of no machine, no package index, and nothing left to do."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOT_OURS = {"__pycache__", "dist", "build", "node_modules"}
TRACES = {
    "a path of one machine": re.compile(r"(?<![\w.~:/-])/(?:wo[r]k|ro[o]t)/"),
    "an open end": re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b"),
    "a package index": re.compile(r"(?:py[p]i\.org|python[h]osted\.org|npm[j]s\.org|deb\.[d]ebian\.org)"),
}


def texts(root: Path) -> list[Path]:
    """The text files of a checkout: hidden directories are tools' own, except .ci."""
    found = []
    for path in sorted(root.iterdir()):
        if path.is_dir():
            ours = path.name not in NOT_OURS and not path.name.endswith(".egg-info")
            if ours and (not path.name.startswith(".") or path.name == ".ci"):
                found += texts(path)
        elif b"\0" not in path.read_bytes()[:8192]:
            found.append(path)
    return found


def traces(text: str) -> list[str]:
    """What a text gives away, as line: what."""
    numbered = list(enumerate(text.splitlines(), start=1))
    return [f"{number}: {what}" for number, line in numbered for what, sign in TRACES.items() if sign.search(line)]


def test_no_file_tells_where_it_was_written_or_what_is_missing() -> None:
    files = texts(ROOT)
    found = [f"{path.relative_to(ROOT)}:{trace}" for path in files for trace in traces(path.read_text("utf-8"))]

    assert ROOT / "Makefile" in files
    assert ROOT / ".ci/run" in files
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        ("see /wo" + "rk/main/x.py", "1: a path of one machine"),
        ("\n'/ro" + "ot/.docker'", "2: a path of one machine"),
        ("# TO" + "DO: later", "1: an open end"),
        ("https://py" + "pi.org/simple", "1: a package index"),
    ],
)
def test_a_trace_is_found_with_its_line(text, trace) -> None:
    assert traces(text) == [trace]


@pytest.mark.parametrize("text", ["ghcr.io/work/app", "https://host/root/x", "mktemp XXXXXX", "the working directory"])
def test_ordinary_words_are_no_traces(text) -> None:
    assert traces(text) == []
