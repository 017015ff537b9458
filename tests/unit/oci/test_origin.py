import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.oci.origin import Origin

OWN_ADDRESSES = [
    {"address": "reg.example", "scheme": "https", "want": "reg.example:443"},
    {"address": "REG.example:80", "scheme": "http", "want": "reg.example:80"},
    {"address": "[FD00::0:1]:5000", "scheme": "http", "want": "[fd00::1]:5000"},
]


@pytest.mark.table("canonical_address", own=OWN_ADDRESSES)
def test_an_address_has_one_origin(case):
    """Rule: an IPv6 address stands in brackets, and a colon is followed by a port; peers also take other spellings."""
    address, scheme = case["address"], case["scheme"]
    if address.endswith(":") or address.startswith("2001:"):
        with pytest.raises(ValueError, match=r"port|host"):
            Origin.parse(address, scheme)
        return
    origin = Origin.parse(address, scheme)

    assert f"{origin.bracketed}:{origin.port}" == case["want"]


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("https://Registry.Example.com/v2/", "https://registry.example.com"),
        ("registry.example.com:443", "https://registry.example.com"),
        ("registry.example.com:80", "https://registry.example.com:80"),
        ("HTTP://a:80", "http://a"),
        ("http://a:5000", "http://a:5000"),
        ("https://[2001:DB8:0::1]:8443/x", "https://[2001:db8::1]:8443"),
        ("my_bucket.s3.amazonaws.com", "https://my_bucket.s3.amazonaws.com"),
        ("127.0.0.1:5000", "https://127.0.0.1:5000"),
    ],
)
def test_an_origin_has_one_spelling(text, full):
    assert str(Origin.parse(text)) == full


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://",
        "ftp://a",
        "https://user:secret@a/",
        "user@a",
        "a?x=1",
        "https://a/v2?x=1",
        "https://a/#f",
        "a.",
        "https://localhost./x",
        "-a.example",
        "a..b",
        "a b",
        "a\n",
        "a\r\nHost: b",
        "bücher.example",
        "a:0",
        "a:65536",
        "a:+80",
        "a:http",
        "a:",
        "::1",
        "[::1",
        "[fe80::1%25eth0]",
        "[::ffff:169.254.169.254]",
        "[1::2::3]",
        "a%2eb",
        "a\\b",
        "x" * 64 + ".example",
        "a." * 127 + "com",
    ],
)
def test_what_names_no_server_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        Origin.parse(text)


@pytest.mark.parametrize("text", ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "1.2.3.4.5", "169.254.169.254."])
def test_an_address_that_programs_read_differently_is_refused(text):
    with pytest.raises(ValueError, match=r"IPv4|host name"):
        Origin.parse(text)


def test_a_password_is_not_repeated_in_the_refusal():
    with pytest.raises(ValueError, match="must not stand") as caught:
        Origin.parse("https://user:hunter2@a/")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("other", ["http://a", "https://a:444", "https://b", "https://a.b", "https://ab"])
def test_another_scheme_host_or_port_is_another_origin(other):
    assert Origin.parse(other) != Origin.parse("https://a")


def test_no_origin_is_made_without_validation():
    with pytest.raises(ValueError, match="canonical"):
        Origin("https", "A", 443)
    with pytest.raises(ValueError, match="port"):
        Origin("https", "a", 0)
    with pytest.raises(ValueError, match="scheme"):
        Origin("gopher", "a", 70)


@given(st.text() | st.from_regex(r"(https?://)?[a-z0-9.\[\]:-]{1,30}(/.*)?"))
def test_any_text_is_an_origin_or_a_value_error(text):
    try:
        origin = Origin.parse(text)
    except ValueError:
        return
    assert Origin.parse(str(origin)) == origin


SAME = [
    {"kind": "same-origin", "from": "reg.example", "to": "https://reg.example?sig=a%2Fb", "ok": True},
    {"kind": "same-origin", "from": "reg.example", "to": "https://reg.example\\@evil.example/x", "ok": False},
    {"kind": "same-origin", "from": "reg.example", "to": "https://REG.example:443/x", "ok": True},
    {"kind": "same-origin", "from": "reg.example", "to": "http://reg.example/x", "ok": False},
    {"kind": "same-origin", "from": "reg.example", "to": "https://user:pw@reg.example/x", "ok": False},
]


@pytest.mark.table("url_policy", own=SAME, where={"kind": "same-origin"})
def test_credentials_stay_at_their_origin(case):
    def same():
        try:
            return Origin.of_url(case["to"]) == Origin.parse(case["from"])
        except ValueError:
            return False

    assert same() == case["ok"]
