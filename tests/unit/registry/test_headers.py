"""Header fields: what servers send, and what is made of it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import ProtocolViolation
from syncer.registry import headers

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def as_list(value):
    return value if isinstance(value, list) else [value] if value else []


LINKS = [
    {"link": '</v2/a/tags/list?last=%2F&n=1>; rel="next"', "ok": True, "target": "/v2/a/tags/list?last=%2F&n=1"},
    {"link": ["</a>; rel=prev", '</b>; rel="last next"'], "ok": True, "target": "/b"},
    {"link": '</a>; rel="next', "ok": False},
    {"link": "</a> </b>", "ok": False},
    {"link": "", "ok": None},
    {"link": "</a>; rel=next; rel=prev", "ok": True, "target": "/a"},
]


@pytest.mark.table("link_header", own=LINKS)
def test_links_are_read_or_refused(case):
    values = as_list(case["link"])
    name, value = case.get("param", ["rel", "next"])

    if case["ok"] is False and "cross-origin" not in case.get("note", "") and "SSRF" not in case.get("note", ""):
        with pytest.raises(ValueError, match="malformed"):
            list(headers.links(values))
        return
    found = [link.target for link in headers.links(values) if value in link.params.get(name, "").split()]
    expected = case.get("target", case.get("next"))
    assert expected is None or expected.endswith(found[0])
    assert bool(found) == (expected is not None or case["ok"] is False)


@given(st.text(st.sampled_from('<>/a;="\\, \trelnxt*'), max_size=60))
def test_a_link_header_is_read_or_refused_with_a_value_error(text):
    try:
        found = list(headers.links([text]))
    except ValueError:
        return
    assert all(link.target for link in found)


def test_the_next_page_is_given_as_the_registry_wrote_it(answer):
    pages = answer(Link='<https://registry.example/v2/a/tags/list?last=a%2Fb>; rel="next"')

    assert headers.next_link(pages) == "https://registry.example/v2/a/tags/list?last=a%2Fb"
    assert headers.next_link(answer()) is None


def test_a_malformed_link_is_the_hosts_fault(answer):
    with pytest.raises(ProtocolViolation) as caught:
        headers.next_link(answer(Link="<"))

    assert caught.value.host == "registry.example"


@pytest.mark.table("content_range", own=[{"headers": ["bytes 2-4/5"], "ok": True, "first": 2, "last": 4, "total": 5}])
def test_a_content_range_is_read_or_unknown(case, answer):
    found = headers.content_range(answer(Content_Range=case["headers"]))

    if case["ok"]:
        total = None if case["total"] == -1 else case["total"]
        assert found == headers.ContentRange(case["first"], case["last"], total)
    else:
        assert found is None


@pytest.mark.table("blob_size_header", own=[{"headers": ["12"], "expected": 12}, {"headers": ["1 2"], "expected": -1}])
def test_a_content_length_is_read_or_unknown(case, answer):
    found = headers.content_length(answer(Content_Length=case["headers"]))

    assert found == (None if case["expected"] in (-1, None) else case["expected"])


def test_a_digest_is_read_or_unknown(answer):
    digest = "sha256:" + "a" * 64

    assert str(headers.content_digest(answer(Docker_Content_Digest=digest))) == digest
    assert headers.content_digest(answer(Docker_Content_Digest="sha256:x")) is None
    assert headers.content_digest(answer()) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0),
        (str(int(NOW.timestamp()) + 90), 90),
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1e9", None),
        ("Thu, 99 Jan 2026 00:00:30 GMT", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_is_seconds_a_date_or_a_unix_time(value, seconds):
    assert headers.retry_after(value, NOW) == seconds


@given(st.text(max_size=40))
def test_any_retry_after_is_a_wait_or_nothing(text):
    found = headers.retry_after(text, NOW)

    assert found is None or found >= 0


@pytest.mark.table("warning_header", own=[{"header": '299 - "be \\"kind\\""', "expected": 'be "kind"'}])
def test_a_warning_is_shown_or_ignored(case):
    found = headers.warning(case["header"])

    if "\ufffd" in case["header"]:  # the table has lost these bytes
        assert found.startswith(case["expected"][:5])
    else:
        assert found == case["expected"]


def test_a_warning_that_is_not_utf8_can_still_be_printed():
    received = '299 - "caf\xe9"'.encode("latin-1").decode("utf-8", "surrogateescape")

    assert headers.warning(received) == "caf\ufffd"


@pytest.mark.parametrize(
    ("value", "read"),
    [("100;w=21600", (100, 21600)), ("76", (76, None)), ("x;w=1", None), (None, None), ("1;w=", None)],
)
def test_a_pull_allowance_is_read_or_unknown(value, read):
    assert headers.allowance(value) == read
