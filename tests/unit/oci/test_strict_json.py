import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.oci import strict_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_plain_json_is_read_as_it_is(value):
    assert strict_json.loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1, "a": 1}', "'a' appears twice"),
        (b'[{"b": {"c": 1, "c": 2}}]', "'c' appears twice"),
        (b'{"a": 1, "\\u0061": 2}', "'a' appears twice"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a": "\\ud800"}', "not UTF-8"),
        (b"[NaN]", "NaN is not a JSON value"),
        (b"[-Infinity]", "-Infinity is not a JSON value"),
        (b"[1e999]", "out of range"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"<html>", "not JSON"),
    ],
)
def test_what_readers_could_differ_on_is_refused(document, reason):
    with pytest.raises(ValueError, match=reason):
        strict_json.loads(document)


def test_a_number_of_a_million_digits_is_refused():
    with pytest.raises(ValueError, match="digits"):
        strict_json.loads(b"1" * 1_000_000)


def test_a_duplicate_is_found_at_once_among_many_keys():
    members = ",".join(f'"{number}":0' for number in range(149_000))
    with pytest.raises(ValueError, match="'148999' appears twice"):
        strict_json.loads(f'{{{members},"148999":1}}'.encode())


@pytest.mark.parametrize("part", [b"[],", b"{},", b"1,", b'"",', b"[[", b'{"":'])
def test_a_document_has_at_most_so_many_values(part):
    with pytest.raises(ValueError, match="150000 values"):
        strict_json.loads(b"[" + part * 150_000 + b"1]")


def test_a_document_has_at_most_four_mebibytes():
    with pytest.raises(ValueError, match="4194304 are the limit"):
        strict_json.loads(b" " * (4 * 1024 * 1024) + b"1")
    with pytest.raises(ValueError, match="2 are the limit"):
        strict_json.loads(b"123", limit=2)


@pytest.mark.parametrize("key", ["Layers", "LAYERS", "layer\N{LATIN SMALL LETTER LONG S}"])
def test_a_known_key_in_another_spelling_is_refused(key):
    for members in ({key: []}, {"layers": [], key: []}):
        with pytest.raises(ValueError, match="readers confuse with 'layers'"):
            strict_json.fields(members, frozenset({"layers"}), "it")


def test_unknown_keys_may_be_spelled_in_any_way():
    members = {"layers": [], "note": 1, "Note": 2}

    assert strict_json.fields(members, frozenset({"layers"}), "it") == members


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (strict_json.text, 5),
        (strict_json.text, None),
        (strict_json.texts, "abc"),
        (strict_json.texts, ["a", 1]),
        (strict_json.text_pairs, {"a": 1}),
        (strict_json.text_pairs, [["a", "b"]]),
    ],
)
def test_a_member_of_the_wrong_kind_is_refused(read, value):
    with pytest.raises(ValueError, match=r"^key "):
        read({"key": value}, "key")


def test_a_list_has_at_most_as_many_items_as_it_may():
    assert strict_json.items({"key": [1, 2]}, "key", 2) == [1, 2]
    with pytest.raises(ValueError, match="3 entries; 2 are the limit"):
        strict_json.items({"key": [1, 2, 3]}, "key", 2)


@given(st.binary())
def test_any_bytes_are_json_or_a_value_error(data):
    try:
        value = strict_json.loads(data)
    except ValueError:
        return
    assert value == json.loads(data)
