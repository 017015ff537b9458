"""Names of images and places: each parser takes its grammar, written here a second time, and its text comes back."""

import ipaddress
import re
from urllib.parse import urljoin, urlsplit

from fuzzing import fuzzed, made_of
from hypothesis import strategies as st
from yarl import URL

from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import Origin
from syncer.oci.platform import Platform
from syncer.oci.reference import Reference
from syncer.registry.urls import is_target, located, shown_url

HEX = "0123456789abcdef" * 4
PATHS = ("a", "b0", "library", "nginx", "A", "é", "/", "//", ".", "..", "_", "__", "___", "-", "--", ":", "@", "%2f")
HOSTS = ("localhost", "docker.io", "index.docker.io", "r.example", "R.EXAMPLE", "127.0.0.1", "127.1", "0x7f.1", "[::1]")
HOSTS += ("[", "]", "::1", "[fe80::1%25eth0]", "xn--a", "a_b", "-a", "a" * 64, ":5000", ":0", ":99999", ":443", ".")
DIGESTS = (f"sha256:{HEX}", f"sha512:{HEX}{HEX}", f"sha384:{HEX}", "sha256:", "sha512:", HEX, HEX.upper(), f"md5:{HEX}")
TAGS = (":", ":1.10", ":latest", ":-a", ":.", ":_", ":" + "a" * 128, ":" + "a" * 129)


def read(parse, text):
    """What `parse` makes of `text`; None where it says no in the way that it must."""
    try:
        return parse(text)
    except ValueError as refused:
        assert "\x1b" not in str(refused)
        return None


def is_component(text):
    parts = re.split(r"[._-]+", text)
    between = re.findall(r"[._-]+", text)
    plain = all(part and set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789") for part in parts)
    return plain and all(mark in (".", "_", "__") or set(mark) == {"-"} for mark in between)


def is_repository(text):
    return len(text) <= 255 and all(map(is_component, text.split("/")))


def is_tag(text):
    letters = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
    return 1 <= len(text) <= 128 and set(text) <= letters and text[0] not in ".-"


def is_digest(text):
    algorithm, _, encoded = text.partition(":")
    return len(encoded) == {"sha256": 64, "sha512": 128}.get(algorithm, -1) and set(encoded) <= set("0123456789abcdef")


@fuzzed(st.text() | made_of(*PATHS, most=8))
def test_a_repository_name_is_what_its_grammar_says_and_nothing_else(text):
    found = read(RepositoryName.parse, text)

    assert (found is not None) == is_repository(text)
    assert found is None or str(found) == text


@fuzzed(st.text() | made_of(*"aZ09_.-/:@", "a" * 127, most=6))
def test_a_tag_is_what_its_grammar_says_and_nothing_else(text):
    found = read(Tag.parse, text)

    assert (found is not None) == is_tag(text)
    assert found is None or str(found) == text


@fuzzed(st.text() | made_of(*DIGESTS, "a", ":", most=3))
def test_a_digest_is_what_its_grammar_says_and_nothing_else(text):
    found = read(Digest.parse, text)

    assert (found is not None) == is_digest(text)
    assert found is None or str(found) == text


def split_as_docker_does(text):
    """(host or None, path, tag, digest) by the rules of docker's documentation."""
    rest, at, digest = text.partition("@")
    first, slash, path = rest.partition("/")
    has_host = bool(slash) and (first == "localhost" or bool(set(first) & set(".:")) or first.lower() != first)
    host, path = (first, path) if has_host else (None, rest)
    path, colon, tag = path.partition(":")
    return host, path, tag if colon else None, digest if at else None


@fuzzed(st.text() | made_of(*HOSTS, *PATHS, *DIGESTS, *TAGS, "@", "/", "/", "://", most=7))
def test_a_reference_means_what_docker_means_by_it_or_is_refused(text):
    found = read(Reference.parse_name, text)
    if found is None:
        return
    host, path, tag, digest = split_as_docker_does(text)
    hub = found.registry == "docker.io"

    assert hub if host is None else hub or found.registry.partition(":")[0] in {host.lower().partition(":")[0], "["}
    assert str(found.repository) == (f"library/{path}" if hub and "/" not in path else path)
    assert (found.tag and str(found.tag), found.digest and str(found.digest)) == (tag, digest)
    assert is_repository(str(found.repository))
    assert Reference.parse_name(str(found)) == Reference.parse_name(found.familiar) == found


@fuzzed(st.tuples(made_of(*PATHS[:5], "/", most=4), st.sampled_from(("", *TAGS)), st.sampled_from(("", *DIGESTS[:2]))))
def test_every_reference_of_the_grammar_is_taken(parts):
    path, tag, digest = parts
    found = read(Reference.parse_name, f"r.example/{path}{tag}{'@' * bool(digest)}{digest}")

    assert (found is not None) == (is_repository(path) and (not tag or is_tag(tag[1:])))


@fuzzed(st.text() | made_of("https", "http", "HTTP", "ftp", "://", *HOSTS, "/", "?", "#", "@", most=6))
def test_an_origin_has_one_spelling_and_other_readers_see_the_same_host(text):
    found = read(Origin.parse, text)
    if found is None:
        return
    assert Origin.parse(str(found)) == Origin.of_url(f"{found}/x?y") == found
    assert (found.scheme, found.host, found.port) == (
        URL(str(found)).scheme,
        URL(str(found)).raw_host,
        URL(str(found)).port,
    )
    assert found.host.isascii()
    assert found.host == found.host.lower()
    if re.fullmatch(r"[0-9.]+|.*:.*", found.host):
        assert str(ipaddress.ip_address(found.host)) == found.host


BASE = Origin("https", "registry.example", 443)
URLS = (
    "https:",
    "HTTP:",
    "//",
    "/",
    "\\",
    "?",
    "#",
    "@",
    "..",
    ".",
    "%2f",
    "a",
    "evil.example",
    "u:p",
    ":",
    "file:",
    *HOSTS,
)


@fuzzed(st.text() | made_of(*URLS, most=7))
def test_a_location_leads_where_other_readers_say_and_can_be_requested(text):
    found = read(lambda location: located(BASE, "/v2/a?b", location), text)
    if found is None:
        return
    origin, target = found
    joined = urlsplit(urljoin("https://registry.example/v2/a?b", text))

    assert is_target(target)
    assert "#" not in target
    assert (origin.scheme, origin.host) == (joined.scheme, ipaddress_or_name(joined.hostname))
    assert URL(f"{origin}{target}", encoded=True).raw_host == origin.host


def ipaddress_or_name(host):
    return str(ipaddress.ip_address(host)) if ":" in host else host


PLATFORMS = (
    "linux",
    "windows",
    "macos",
    "/",
    "amd64",
    "x86_64",
    "arm",
    "arm64",
    "v7",
    "8",
    "7",
    ",",
    "osver=",
    "osfeature=",
)


@fuzzed(st.text() | made_of(*PLATFORMS, "10.0.17763.1", "win32k", "=", "A", most=9))
def test_a_platform_has_a_normal_form_that_reads_as_itself(text):
    found = read(Platform.parse, text)
    if found is None:
        return
    assert Platform.parse(str(found)) == found == Platform.from_json(found.to_json())
    assert found.matches(found)
    assert text.isascii()
    assert re.fullmatch(r"[a-z0-9_.-]+/[a-z0-9_.-]+(/[a-z0-9_.-]+)?(,os(ver|feature)=[ -+\--~]+)*", str(found))


@fuzzed(st.text() | made_of("https", "://", "u:c4nary@", "cdn.example", "/", "?", "#", "c4nary=", ":", most=8))
def test_a_url_is_shown_in_one_line_without_what_stands_before_an_at_sign(text):
    told = shown_url(text)

    assert "@" not in told
    assert (told.isascii(), told.isprintable(), len(told) <= 120) == (True, True, True)
