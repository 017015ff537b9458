import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.oci.names import RepositoryName, Tag


@pytest.mark.parametrize("text", ["nginx", "library/nginx", "a/b/c", "my__app/x.y-z", "a---b", "0/1", "a" * 255])
def test_a_repository_name_keeps_its_text(text):
    assert str(RepositoryName.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "/a", "a/", "a//b", "A/b", "a___b", "a..b", "../a", "a/../b", "-a", "a-", "a b", "a\n", "ä", "a%2fb", "a:b"],
)
def test_what_is_no_repository_name_is_refused(text):
    with pytest.raises(ValueError, match="repository name"):
        RepositoryName.parse(text)


def test_a_repository_name_has_at_most_255_characters():
    with pytest.raises(ValueError, match="longer than 255"):
        RepositoryName("a" * 256)


def test_capitals_are_named_as_the_fault():
    with pytest.raises(ValueError, match="must be lowercase"):
        RepositoryName("Team/App")


def test_the_name_is_the_last_component():
    assert RepositoryName("library/nginx").name == "nginx"
    assert RepositoryName("nginx").name == "nginx"


@pytest.mark.parametrize("text", ["1.10", "latest", "_x", "V1.0-RC", "a" * 128, "1..2"])
def test_a_tag_keeps_its_text(text):
    assert str(Tag.parse(text)) == text


@pytest.mark.parametrize("text", ["", ".x", "-x", "..", "a/b", "a:b", "a" * 129, "v1\n", "\x1b[31m", "1+2", "é"])
def test_what_is_no_tag_is_refused(text):
    with pytest.raises(ValueError, match="is no tag"):
        Tag.parse(text)


@given(st.text())
def test_any_text_is_a_name_or_a_value_error(text):
    for kind in (RepositoryName, Tag):
        try:
            value = kind.parse(text)
        except ValueError:
            continue
        assert str(value) == text


def test_a_long_hostile_name_is_refused_at_once():
    with pytest.raises(ValueError, match="repository name"):
        RepositoryName("a-" * 127)
