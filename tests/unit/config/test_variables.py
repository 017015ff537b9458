"""`${VAR}`: once, in values only."""

import pytest

from syncer.config.variables import expand

ENVIRON = {"A": "one", "EMPTY": "", "NESTED": "${A}", "DOLLAR": "$$"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x", "x"),
        ("${A}", "one"),
        ("<${A}-${A}>", "<one-one>"),
        ("${EMPTY}", ""),
        ("${EMPTY:-two}", "two"),
        ("${NONE:-}", ""),
        ("${NONE:-a: b, c}", "a: b, c"),
        ("${A:-two}", "one"),
        ("${A:?why}", "one"),
        ("${NESTED}", "${A}"),
        ("${DOLLAR}", "$$"),
        ("$A $ 5$", "$A $ 5$"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("pa$$word", "pa$word"),
        ("$$${A}", "$one"),
    ],
)
def test_a_value_is_expanded_once(text, wanted) -> None:
    assert expand(text, ENVIRON) == (wanted, [])


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("${NONE}", "NONE is not set; set it, or write a default: ${NONE:-...}"),
        ("${NONE:?give it}", "NONE is not set: give it"),
        ("${EMPTY:?}", "EMPTY is not set: a value is required"),
        ("${}", "a variable is written ${NAME}"),
        ("${A-x}", "a variable is written ${NAME}"),
        ("${1A}", "a variable is written ${NAME}"),
        ("${A", "not closed"),
    ],
)
def test_what_cannot_be_expanded_is_said_once(text, part) -> None:
    _, faults = expand(f"{text}", ENVIRON)

    assert [part in fault.message for fault in faults] == [True]


def test_keys_are_not_expanded(problems) -> None:
    assert '"${A}"' in "".join(problem.message for problem in problems("${A}: 1", A="version"))


def test_every_undefined_variable_of_a_file_is_listed_with_its_place(problems) -> None:
    text = "version: 1\ntargets: {a: {registry: r.example}}\nimages:\n  - source: \"x${A}y${B}\"\n    tags: ['${C}']\n"

    found = [(each.line, each.column) for each in problems(text)]

    assert found == [(4, 15), (4, 20), (5, 13)]
