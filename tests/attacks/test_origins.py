"""S1 to S8: a server names another place, in every way that it has, and gets nothing of ours there.

The other place is one that mirrors.yaml names too, so that its private address is no reason to refuse it: what is left
is that a credential is bound to its origin. Where a whole run is shown, the target is looked at as well.
"""

from __future__ import annotations

import base64
import json
import ssl
from urllib.parse import quote

import pytest
import trustme
from hostile import clients, fetch, reply, serving
from hostile_registry import NAME, HostileRegistry, sha256
from victim import AUTH, PASSWORD, TOKEN, USER, assert_untouched, leaks, outcome

from syncer.oci.origin import Origin
from syncer.report.model import Status

BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode())


@pytest.fixture
async def thief():
    """A registry that mirrors.yaml names, and that would like to have the credential of another."""
    async with HostileRegistry(["wants-basic"]).running() as registry:
        yield registry


@pytest.fixture
async def target():
    async with HostileRegistry(empty=True).running() as registry:
        yield registry


def source(*tricks, **more):
    return HostileRegistry([*tricks], **more).running()


async def copied(hostile, target, thief, **more):
    registry = {"auth": AUTH, **more}
    return await outcome(hostile, target, registry=registry, known=[thief])


REALMS = [
    "{elsewhere}{target}",
    "http://localhost:{port}{target}",
    "//{netloc}{target}",
    "http://{here}@{netloc}{target}",
    "http://{here}\\@{netloc}{target}",
    "http://{netloc}#@{here}{target}",
    "http://{netloc}?@{here}{target}",
    "HTTP://{netloc}{target}",
]


@pytest.mark.parametrize("realm", REALMS)
@pytest.mark.parametrize("challenge", ["realm-elsewhere", "token-redirects"])
async def test_no_credential_is_shown_at_another_realm(thief, target, realm, challenge):
    location = realm.replace("{port}", str(thief.origin.port))
    tricks = [challenge] if challenge == "realm-elsewhere" else [challenge, "wants-token"]
    async with source(*tricks, elsewhere=thief.origin, location=location) as hostile:
        ended = await copied(hostile, target, thief)

    assert len(hostile.asked) == (1 if challenge == "realm-elsewhere" else 2)
    assert ended.status is Status.FAILED
    assert ended.failure.host == hostile.netloc
    assert_untouched(thief)
    assert target.stored == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("trick", ["redirect-blobs", "redirect-manifests"])
@pytest.mark.parametrize("login", ["wants-basic", "wants-token"])
async def test_where_a_redirect_leads_no_credential_goes(thief, target, status, trick, login):
    """Not even if it is asked for there: the thief answers 401 to whoever brings none."""
    async with source(login, trick, elsewhere=thief.origin, status=status) as hostile:
        ended = await copied(hostile, target, thief)

    assert TOKEN.encode() in hostile.server.received or BASIC in hostile.server.received
    assert thief.asked
    assert leaks(thief.server.received) == []
    assert not any("authorization" in asked.headers for asked in thief.asked)
    assert ended.status is Status.FAILED
    assert f"{thief.netloc} answers 401" in ended.failure.message


@pytest.mark.parametrize("location", ["http://u:p@{netloc}{target}", "http://{here}@{netloc}/", "ftp://{netloc}/x"])
async def test_a_redirect_with_a_user_or_another_scheme_is_not_followed(thief, target, location):
    async with source("wants-basic", "redirect-blobs", elsewhere=thief.origin, location=location) as hostile:
        ended = await copied(hostile, target, thief)

    assert ended.failure.code == "E509"
    assert_untouched(thief)


async def test_a_redirect_out_and_back_again_arrives_without_a_credential(target):
    def back(asked):
        return reply(307, Location=f"http://{hostile.netloc}{asked.target}?again")

    async with serving(back) as relay, source("wants-basic", "redirect-blobs", elsewhere=relay.origin) as hostile:
        relay_known = HostileRegistry(server=relay)
        ended = await copied(hostile, target, relay_known)

    returned = [asked for asked in hostile.asked if asked.target.endswith("?again")]
    assert returned
    assert not any("authorization" in asked.headers for asked in returned)
    assert leaks(relay.received) == []
    assert ended.status is Status.FAILED


UPLOADS = ["{elsewhere}/up", "//{netloc}/up", "https://{here}/up", "http://u:p@{here}/up", "http://localhost:{port}/up"]


@pytest.mark.parametrize("location", UPLOADS)
async def test_no_byte_of_a_layer_goes_to_another_upload_location(thief, location):
    location = location.replace("{port}", str(thief.origin.port))
    tricks = ["upload-elsewhere"]
    async with (
        source() as honest,
        HostileRegistry(tricks, elsewhere=thief.origin, location=location, empty=True).running() as target,
    ):
        ended = await outcome(honest, target, known=[thief])

    assert any(asked.method == "POST" for asked in target.asked)
    assert ended.status is Status.FAILED
    assert_untouched(thief)
    assert (target.stored, target.tags) == ([], {})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_what_is_pushed_is_never_redirected(thief, status):
    async with (
        source() as honest,
        HostileRegistry(["redirect-uploads"], elsewhere=thief.origin, status=status, empty=True).running() as target,
    ):
        ended = await outcome(honest, target, known=[thief])

    assert ended.status is Status.FAILED
    assert_untouched(thief)


@pytest.mark.parametrize(
    "location",
    ["{elsewhere}{target}", "//{netloc}{target}", "/v2/other/app/tags/list?last=1", "/v2/team/app/tags/list/../../x"],
)
async def test_a_list_of_tags_does_not_continue_elsewhere(thief, target, location):
    async with source("wants-basic", "link-elsewhere", elsewhere=thief.origin, location=location) as hostile:
        rule = {"source": f"{hostile.netloc}/{NAME}", "tags": ["*"]}
        ended = await outcome(hostile, target, registry={"auth": AUTH}, known=[thief], rule=rule)

    assert len([asked for asked in hostile.asked if "authorization" in asked.headers]) == 1
    assert ended.status is Status.FAILED
    assert_untouched(thief)


async def test_the_cloud_s_metadata_is_not_asked_for(target):
    """Nothing here tells a name from an address; what the name leads to is in test_addresses."""
    for trick in ("redirect-blobs", "redirect-manifests", "realm-elsewhere"):
        async with source(trick, elsewhere="http://169.254.169.254") as hostile:
            ended = await outcome(hostile, target)

        assert ended.failure.code in ("E205", "E509")
        assert "not public" in ended.failure.message


@pytest.fixture
def tls(tmp_path):
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return context, {"ca": str(tmp_path / "ca.pem")}


@pytest.mark.parametrize("trick", ["redirect-blobs", "redirect-manifests", "realm-elsewhere"])
async def test_from_tls_nothing_leads_down_to_http(thief, target, tls, trick):
    hostile = HostileRegistry([trick], elsewhere=thief.origin)
    async with hostile.running(tls[0]):
        ended = await outcome(hostile, target, registry={"tls": tls[1]}, known=[thief])

    assert ended.status is Status.FAILED
    assert_untouched(thief)


NEIGHBOURS = ["127.0.0.1:{other}", "localhost:{port}", "127.0.0.2:{port}"]


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
async def test_a_credential_is_for_exactly_the_origin_that_it_was_given_for(target, neighbour):
    async with source("wants-basic") as hostile:
        port = hostile.origin.port
        given = neighbour.format(port=port, other=port - 1)
        ended = await outcome(hostile, target, known={given: {"auth": AUTH}})

    assert ended.status is Status.FAILED
    assert hostile.asked
    assert leaks(hostile.server.received) == []


async def test_a_cookie_is_neither_kept_nor_carried_on():
    """At a name: no client keeps cookies of an address."""
    baked = reply(200, Set_Cookie="c4nary=1; Path=/")
    async with serving(baked) as server, clients() as made:
        for _ in range(2):
            await fetch(made, Origin("http", "localhost", server.origin.port))

    assert len(server.asked) == 2
    assert b"c4nary" not in server.received


ODD = {
    "a service that is no text": ("\xff\xfe", 60),
    "a service with a query in it": ("a&scope=repository:all:*", 60),
    "a life longer than any float": ("here", 10**400),
    "a life of nothing": ("here", 1e-320),
    "a life that is none": ("here", [1]),
}


@pytest.mark.parametrize("odd", ODD)
async def test_a_token_service_that_is_odd_is_used_as_it_is(target, odd):
    service, life = ODD[odd]

    class Odd(HostileRegistry):
        def challenges(self, asked):
            if asked.target.startswith("/token"):
                return reply(200, json.dumps({"token": TOKEN, "expires_in": life}).encode())
            if "authorization" in asked.headers:
                return None
            challenge = f'WWW-Authenticate: Bearer realm="/token",service="{service}"\r\n'
            return reply(401).replace(b"\r\n", b"\r\n" + challenge.encode("latin-1"), 1)

    async with Odd(["challenges"]).running() as hostile:
        ended = await outcome(hostile, target, registry={"auth": AUTH})

    assert ended.status is Status.COPIED
    asked = next(asked.target for asked in hostile.asked if asked.target.startswith("/token"))
    assert f"service={quote(service.encode('latin-1'), safe=':/,')}&scope=repository:{NAME}:pull" in asked


async def test_an_honest_image_is_copied_past_all_of_this(target):
    """Else every test of this file could pass because nothing works at all."""
    async with source("wants-token") as hostile:
        ended = await outcome(hostile, target, registry={"auth": AUTH})

    assert ended.status is Status.COPIED
    assert target.tags == {"1": hostile.root}
    assert sha256(hostile.layer) in map(sha256, target.stored)
