"""Where a server may send us: URLs that it names, and addresses that they lead to."""

import socket

import pytest

from syncer.credentials.keychain import Credential
from syncer.errors import NetworkError, RealmRefused, SyncerError
from syncer.oci.names import Origin
from syncer.registry.addresses import NotPublic, is_public, public_socket
from syncer.registry.challenge import Challenge
from syncer.registry.http import Request
from syncer.registry.redirects import following
from syncer.registry.tokens import Tokens
from syncer.registry.urls import is_target, located, shown_url
from syncer.settings.registries import Endpoint
from syncer.settings.secret import Secret

BASE = Origin("https", "registry.example", 443)


@pytest.mark.parametrize(
    ("location", "origin", "target"),
    [
        ("/v2/x?y=%2F", "https://registry.example", "/v2/x?y=%2F"),
        ("https://REGISTRY.example:443/a", "https://registry.example", "/a"),
        ("HTTPS://cdn.example:8443/a/../b?c=d#e", "https://cdn.example:8443", "/a/../b?c=d"),
        ("https://cdn.example", "https://cdn.example", "/"),
        ("https://cdn.example?a=b", "https://cdn.example", "/?a=b"),
        ("//cdn.example/a", "https://cdn.example", "/a"),
        ("?page=2", "https://registry.example", "/v2/team/x?page=2"),
        ("y?z", "https://registry.example", "/v2/team/y?z"),
        ("http://[2001:db8::1]:81/a", "http://[2001:db8::1]:81", "/a"),
    ],
)
def test_a_location_is_resolved_and_not_rewritten(location, origin, target):
    found, path = located(BASE, "/v2/team/x?n=1", location)

    assert (str(found), path) == (origin, target)
    assert is_target(path)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "https:///x",
        "https://u:p@cdn.example/x",
        "https://cdn.example\\@evil.example/x",
        "https://cdn.example:99999/x",
        "https://cdn%2eexample/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://cdn.example/a b",
        "https://cdn.example/\r\nX: y",
        "https://\uff12.example/",
        "https://127.1/",
        "https://cdn.example/" + "x" * 9000,
    ],
)
def test_a_location_that_is_no_plain_url_is_refused(location):
    with pytest.raises(ValueError, match=r"\S"):
        located(BASE, "/v2/", location)


def test_a_url_is_shown_without_what_may_be_secret():
    assert shown_url("https://u:canary@cdn.example/a?sig=canary#canary") == "'https://cdn.example/a'"


OWN = [
    {"kind": "any", "to": "https://[2002:7f00:1::]/x", "ok": False},
    {"kind": "any", "to": "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/x", "ok": False},
    {"kind": "any", "to": "https://8.8.8.8/x", "ok": True},
    {"kind": "any", "to": "https://[2606:4700::1111]/x", "ok": True},
]
NAMES = {"localhost": "127.0.0.1", "metadata.google.internal": "169.254.169.254"}
"""What a resolver says."""


@pytest.mark.table("url_policy", own=OWN, where={"kind": "any"})
def test_a_name_of_a_server_never_leads_to_a_private_address(case):
    try:
        origin, _ = located(BASE, "/v2/", case["to"])
    except ValueError:
        assert not case["ok"]
        return
    assert is_public(NAMES.get(origin.host, origin.host)) == case["ok"]


def test_the_guard_makes_no_socket_for_a_private_address():
    with pytest.raises(NotPublic, match=r"^the address is not public$"):
        public_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("169.254.169.254", 80)))


def test_the_guard_makes_the_socket_that_was_asked_for():
    with public_socket((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("8.8.8.8", 443))) as made:
        assert (made.family, made.type, made.proto) == (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


@pytest.mark.table(
    "url_policy",
    own=[{"kind": "same-origin", "from": "https://registry.example.com", "to": "/x", "ok": True}],
    where={"kind": "same-origin"},
)
def test_what_is_not_the_same_origin_is_not_taken_for_it(case):
    origin = Origin.parse(case["from"])
    try:
        found, _ = located(origin, "/v2/", case["to"])
    except ValueError:
        assert not case["ok"]
        return
    same_but_for_spelling = "REGISTRY.EXAMPLE.COM." in case["to"]  # a trailing dot is refused or another host
    assert (found == origin) == case["ok"] or same_but_for_spelling


@pytest.mark.table(
    "url_policy",
    own=[{"kind": "redirect", "from": "registry.example", "to": "https://registry.example/x", "ok": True}],
    where={"kind": "redirect"},
)
def test_a_redirect_from_tls_is_followed_or_refused(case, answer):
    origin = Origin.parse(case["from"], default_scheme="http" if ":" in case["from"] else "https")
    response = answer(307, Location=case["to"])
    response.request = Request("GET", origin, "/v2/", {"Authorization": "x", "Accept": "y", "X-Own": "z"})

    try:
        request = following(response)
    except NetworkError:
        assert not case["ok"]
        return
    assert case["ok"]
    assert (request.anonymous, len(request.headers)) == (False, 3)


class Anyone:
    """A keychain that has a credential for everyone."""

    async def credential(self, _origin):
        return Credential("me", Secret("password"))

    async def renew(self, _origin):
        return None


REALMS = [
    {"kind": "realm", "from": "registry.example", "to": "https://registry.example/token", "ok": True},
    {"kind": "realm", "from": "registry.example", "to": "https://registry.example:444/token", "ok": False},
    {"kind": "realm", "from": "registry.example", "to": "https://evil.example/token", "ok": False},
]


@pytest.mark.table("url_policy", own=REALMS, where={"kind": "realm"})
async def test_a_credential_is_shown_at_no_realm_that_a_peer_refuses(case, scripted, answer, clock):
    scheme = "http" if case.get("insecure") else "https"
    origin = Origin.parse(case["from"] or "registry.example", default_scheme=scheme)
    client = scripted(lambda _request: answer(200, b'{"token": "t"}'))
    tokens = Tokens(Endpoint(origin), Anyone(), client, clock)
    try:
        await tokens.token(Challenge("bearer", {"realm": case["to"]}), "")
    except SyncerError as refused:
        assert isinstance(refused, RealmRefused)  # noqa: PT017 -- either outcome is right for some case
    realms = [request.origin for request in client.sent]

    assert realms in ([], [origin])
    assert realms == [] or case["ok"]
