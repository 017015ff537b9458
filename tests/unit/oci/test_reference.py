import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.reference import Reference

HEX = "a" * 64
SHA = f"sha256:{HEX}"
PORT = re.compile(r":(\d+)(?:/|$)")


def expected_name(domain, path):
    """Docker's rule on top of the bare grammar: where the first part is no host, the name is one of Docker Hub."""
    if domain and (re.search("[.:A-Z]", domain) or domain == "localhost"):
        return f"{domain.lower()}/{path}"
    path = f"{domain}/{path}" if domain else path
    return f"docker.io/{path}" if "/" in path else f"docker.io/library/{path}"


def parsed(text):
    try:
        return Reference.parse_name(text)
    except ValueError:
        return None


GRAMMAR = [
    {"input": "reg.example:5000/a/b:1.10", "ok": True, "domain": "reg.example:5000", "name": "reg.example:5000/a/b"},
    {"input": f"a@{SHA}", "ok": True, "domain": "", "name": "a", "digest": SHA},
    {"input": f"team/app:1@{SHA}", "ok": True, "domain": "team", "name": "team/app", "tag": "1", "digest": SHA},
    {"input": "reg.example/a:", "ok": False},
    {"input": "a@", "ok": False},
    {"input": f"a@{SHA}@{SHA}", "ok": False},
    {"input": f"a@{SHA}:tag", "ok": False},
    {"input": "[fe80::1%eth0]/a", "ok": False},
]
DOTTED = r"[^/]*\.(:\d+)?/"
CAPITALS = r"(?=[^/]*[A-Z])[A-Za-z0-9-]+/"
IMAGE_ID = r"(sha256:)?[0-9a-f]{64}$"
# The peer stops at what a registry may call itself; a registry without a repository is a slip of the pen.
REGISTRY_ALONE = re.compile(r"localhost(:\d+)?(@.*)?")


@pytest.mark.table("reference_grammar", own=GRAMMAR)
def test_a_reference_is_split_into_its_parts(case):
    """Rules: sha512 is supported (`ok: null` in the table); a name-only case bears neither tag nor digest."""
    reference = parsed(case["input"])
    if case.get("as") == "name-only":
        reference = reference and not (reference.tag or reference.digest)
    if case["ok"] is False:
        assert not reference
        return
    if REGISTRY_ALONE.fullmatch(case["input"]):
        assert not reference
        return
    assert reference
    if case["ok"] is None:
        return
    name = case["name"]
    domain = case.get("domain") if "domain" in case else name.partition("/")[0] if "/" in name else ""

    assert reference.name == expected_name(domain, name.removeprefix(domain).lstrip("/"))
    assert str(reference.tag or "") == case.get("tag", str(reference.tag or ""))
    assert str(reference.digest or "") == case.get("digest", "")


NORMALIZED = [
    {"input": "nginx", "ok": True, "domain": "docker.io", "path": "library/nginx", "tag": "latest", "digest": ""},
    {"input": "nginx:1.27", "ok": True, "full": "docker.io/library/nginx", "familiar": "nginx", "tag": "1.27"},
    {"input": "registry-1.docker.io/a", "ok": True, "docker_ref": "docker.io/library/a:latest"},
    {"input": "registry.hub.docker.com/a/b", "ok": True, "docker_ref": "docker.io/a/b:latest"},
    {"input": "index.docker.io:443/a", "ok": True, "docker_ref": "docker.io/library/a:latest"},
    {"input": "gcr.io/a", "ok": True, "domain": "gcr.io", "path": "a", "familiar": "gcr.io/a"},
    {"input": "localhost", "ok": False},
    {"input": "localhost:5000", "ok": False},
    {"input": "reg.example:0/a", "ok": False},
    {"input": "docker.io/", "ok": False},
    {"input": HEX, "ok": False},
    {"input": "https://reg.example/a", "ok": False},
]


@pytest.mark.table("reference_normalized", own=NORMALIZED)
def test_a_reference_means_what_it_means_to_docker(case):
    assert_refused(case) if is_refused(case) else assert_normal(case, Reference.parse(case["input"]))


def is_refused(case):
    """Rules where we refuse what a peer takes.

    A host that ends in a dot is another text for the same server. A host without a dot and a port, known by its
    capitals alone (`Foo/bar`), would be a Docker Hub name in lowercase. An image ID names nothing in a registry.
    """
    return not case["ok"] or any(re.match(rule, case["input"]) for rule in (DOTTED, CAPITALS, IMAGE_ID))


def assert_refused(case):
    if case.get("as", "").startswith("fully-qualified") and case["input"] == "hello-world:linux":
        assert Reference.parse(case["input"]).registry == "docker.io"  # we do have a default registry
        return
    with pytest.raises(ValueError, match=r"\w"):
        Reference.parse(case["input"])


def assert_normal(case, reference):
    pinned = reference.at(reference.digest) if reference.digest else reference
    facts = {
        "domain": reference.registry,
        "path": str(reference.repository),
        "tag": str(reference.tag or ""),
        "digest": str(reference.digest or ""),
        "full": reference.name,
        "familiar": reference.with_tag(None).with_digest(None).familiar,
        "docker_ref": str(pinned),
        "any_ref": str(Reference.parse_name(case["input"])),
    }
    lower = {"domain", "full", "familiar"}  # a host is the same in any letter case: ours are lowercase
    for column, value in facts.items():
        wanted = case.get(column, value)
        assert value == (wanted.lower() if column in lower else wanted), column


NAMES = [
    {"input": "reg.example:5000/a_b/c", "ok": True, "kind": "full name", "parts": ["reg.example:5000", "a_b/c"]},
    {"input": "reg.example/a_/b", "ok": False, "kind": "full name", "parts": None},
    {"input": "reg.example:5000", "ok": True},
    {"input": "reg.example:port", "ok": False},
]


def names_no_server(text):
    """Rule: a port is 1 to 65535, and what stands in brackets is an IPv6 address; the peer's grammar lets others by."""
    port = PORT.search(text)
    return (port and int(port[1]) > 65535) or text.startswith("[fd00123123123]")


@pytest.mark.table("name_regexp", own=NAMES)
def test_a_name_follows_the_grammar(case):
    full_name = case.get("kind") == "full name"
    reference = parsed(case["input"] if full_name else f"{case['input']}/x")
    if names_no_server(case["input"]) or not expected_ok(case):
        assert reference is None
        return
    assert reference
    if full_name and case["parts"]:
        assert reference.name == expected_name(*case["parts"])


def expected_ok(case):
    """Rules: a name has at most 255 characters, which the bare grammar does not count; a colon at the end has a tag."""
    return (case["ok"] and len(case["input"]) <= 255) or case["input"] == "foo_bar.com:8080"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing"),
        ("https://reg.example/a", "no scheme"),
        ("reg.example/Team/App", "must be lowercase"),
        ("nginx:1+2", "is no tag"),
        ("nginx@sha256:abc", "64 lowercase hex digits"),
        ("localhost:5000", "no repository in it"),
        (HEX, "image ID"),
        ("Foo/bar", "Docker Hub name"),
        ("my_host:5000/a", "underscore"),
        ("reg.example./a", "no host name"),
    ],
)
def test_a_refusal_says_why(text, reason):
    with pytest.raises(ValueError, match=reason):
        Reference.parse(text)


def test_no_tag_is_added_to_a_name_or_to_a_digest():
    assert Reference.parse_name("nginx").tag is None
    assert Reference.parse(f"nginx@{SHA}").tag is None


def test_parts_can_be_exchanged():
    reference = Reference.parse("nginx:1.27")
    digest = Digest.parse(SHA)

    assert str(reference.with_tag(Tag("2"))) == "docker.io/library/nginx:2"
    assert str(reference.with_digest(digest)) == f"docker.io/library/nginx:1.27@{SHA}"
    assert str(reference.at(digest)) == f"docker.io/library/nginx@{SHA}"
    assert reference.familiar == "nginx:1.27"


@pytest.mark.parametrize("text", ["docker.io/localhost/a", "docker.io/test.com/a", f"docker.io/library/x/{HEX}"])
def test_a_familiar_form_is_never_another_image(text):
    reference = Reference.parse_name(text)

    assert Reference.parse_name(reference.familiar) == reference


def test_no_reference_is_made_without_validation():
    with pytest.raises(ValueError, match="canonical"):
        Reference("Docker.io", RepositoryName("library/nginx"))


LABEL = st.from_regex(r"[a-z0-9]{1,20}(-[a-z0-9]{1,20})?", fullmatch=True)
REFERENCES = st.builds(
    lambda host, parts, tag: f"{host}.example/{'/'.join(parts)}:{tag}",
    LABEL,
    st.lists(LABEL, min_size=1, max_size=3),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True),
)


@given(REFERENCES)
def test_a_full_reference_keeps_its_text(text):
    assert str(Reference.parse(text)) == text


@given(st.text() | st.from_regex(r"[a-z./:@A-Z\[\]-]{1,40}(@sha256:[0-9a-f]{64})?"))
def test_any_text_is_a_reference_or_a_value_error(text):
    try:
        reference = Reference.parse(text)
    except ValueError:
        return
    assert Reference.parse(str(reference)) == reference
    assert Reference.parse(reference.familiar) == reference
