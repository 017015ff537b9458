from hypothesis import given
from hypothesis import strategies as st

from syncer.oci.shown import shown


@given(st.text(max_size=500))
def test_what_is_shown_is_short_printable_ascii_on_one_line(text):
    quoted = shown(text)

    assert quoted.isascii()
    assert quoted.isprintable()
    assert len(quoted) <= 120


def test_a_short_text_is_shown_whole():
    assert shown("nginx") == "'nginx'"


def test_a_long_text_is_cut_and_says_so():
    assert shown("a" * 500).endswith("...'")
