"""Which tags a rule takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.oci.names import Tag
from syncer.selection.tags import Exact, Glob, select, selectors
from syncer.settings.rules import TagChoice

LISTED = [Tag(text) for text in ("1.9", "1.10", "1.10-alpine", "2.0-rc1", "latest", "Latest")]


def chosen(*globs: str, exact: tuple[str, ...] = ()) -> list[str]:
    choice = TagChoice(tuple(map(Tag, exact)), globs)
    return [str(tag) for tag in select(selectors(choice), LISTED)]


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("*", [str(tag) for tag in LISTED]),
        ("1.1?", ["1.10"]),
        ("1.*", ["1.9", "1.10", "1.10-alpine"]),
        ("[12].[09]*", ["1.9", "2.0-rc1"]),
        ("[!1]*", ["2.0-rc1", "latest", "Latest"]),
        ("latest", ["latest"]),
        ("LATEST", []),
    ],
)
def test_a_glob_takes_what_it_matches_and_case_counts(pattern: str, taken: list[str]):
    assert chosen(pattern) == taken


def test_an_exact_tag_is_taken_whether_it_is_listed_or_not():
    assert chosen(exact=("1.10", "3.0")) == ["1.10", "3.0"]


def test_a_tag_that_several_selectors_take_is_taken_once():
    assert chosen("1.*", "*-alpine", exact=("1.9",)) == ["1.9", "1.10", "1.10-alpine"]


def test_only_globs_need_the_list():
    assert [chooser.listing for chooser in selectors(TagChoice((Tag("1"),), ("*",)))] == [False, True]
    assert selectors(TagChoice()) == []


@given(st.lists(st.sampled_from(LISTED)), st.sampled_from(["*", "1*", "*a*", "?.*"]))
def test_what_a_glob_takes_was_listed_and_comes_once(listed: list[Tag], pattern: str):
    taken = Glob(pattern).select(listed)

    assert set(taken) <= set(listed)
    assert len(taken) == len(set(taken))
    assert Exact(tuple(listed)).select([]) == list(dict.fromkeys(listed))
