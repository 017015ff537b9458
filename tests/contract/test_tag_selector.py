"""What every TagSelector promises: tags that there are, or that it was told, each once, in order."""

import pytest

from syncer.oci.names import Tag
from syncer.selection.tags import Exact, Glob

LISTED = [Tag(text) for text in ("1.9", "1.10", "1.10-alpine", "latest", "LATEST", "1.9")]
SELECTORS = [Exact((Tag("1.10"), Tag("1.9"))), Glob("1.*"), Glob("*"), Glob("1.1?"), Glob("[lL]*")]


@pytest.fixture(params=SELECTORS, ids=str)
def selector(request):
    return request.param


def test_it_takes_something_here(selector):
    assert selector.select(LISTED)


def test_it_takes_each_tag_once(selector):
    found = selector.select(LISTED)

    assert len(found) == len(set(found))


def test_it_invents_no_tag(selector):
    assert set(selector.select(LISTED)) <= set(LISTED)


def test_the_same_list_gives_the_same_tags(selector):
    assert selector.select(tuple(LISTED)) == selector.select(list(LISTED))


def test_it_leaves_the_list_alone(selector):
    listed = list(LISTED)

    selector.select(listed)

    assert listed == LISTED


def test_one_that_must_see_the_list_takes_nothing_from_an_empty_one_and_another_needs_none(selector):
    assert bool(selector.select([])) is not selector.listing


def test_one_that_chooses_from_the_list_keeps_its_order(selector):
    found = selector.select(LISTED)

    assert not selector.listing or found == [tag for tag in dict.fromkeys(LISTED) if tag in found]
