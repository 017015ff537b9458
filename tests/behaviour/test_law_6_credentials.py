"""Law 6: a credential goes only to the origin it was given for, and to that registry's token realm.

Hostile registries name canary servers, by every way that a server has to name one; not one byte of a secret arrives.
"""

import base64
import json

import pytest
from hostile import body_of, clients, reply, serving

from syncer.credentials.keychain import Credential
from syncer.errors import RealmRefused, RedirectRefused, SyncerError
from syncer.oci.names import Origin
from syncer.registry.http import Access, Request
from syncer.registry.proxying import proxy_to
from syncer.registry.tokens import basic
from syncer.settings.registries import Endpoint
from syncer.settings.secret import Secret

PASSWORD = "canary-password"
TOKEN = "canary-token"
REFRESH = "canary-refresh"
SECRETS = [s.encode() for s in (PASSWORD, TOKEN, REFRESH)] + [base64.b64encode(f"me:{PASSWORD}".encode())]


class Static:
    """A keychain with one credential for one origin."""

    def __init__(self, origin, refresh_token=None):
        self.origin = origin
        self.known = Credential("me", Secret(PASSWORD), Secret(refresh_token) if refresh_token else None)

    async def credential(self, origin):
        return self.known if origin == self.origin else None

    async def renew(self, _origin):
        return None


def unauthorized(challenge):
    return reply(401, b"", WWW_Authenticate=challenge)


def basic_registry(answer):
    """Answers with `answer` whoever has the password, and asks all others for it."""
    return lambda asked: answer if "authorization" in asked.headers else unauthorized("Basic realm=x")


async def ask(made, registry, method="GET", refresh_token=None, **settings):
    """What a client with a credential for `registry` gets there."""
    client = made.client(Endpoint(registry.origin, **settings), Static(registry.origin, refresh_token))
    body = body_of(b"layer") if method in ("PUT", "POST", "PATCH") else None
    scope = "repository:team/app:pull"
    request = Request(method, registry.origin, "/v2/team/app/x", {"X-Own": TOKEN}, body, Access.PULL, scope)
    async with client.send(request) as response:
        return response.status, await response.read(1000)


def assert_no_canary(server):
    assert [secret for secret in SECRETS if secret in server.received] == []


@pytest.mark.parametrize("refresh_token", [None, REFRESH])
async def test_a_realm_elsewhere_gets_no_credential(refresh_token):
    async with serving(reply(200, b'{"token": "t"}')) as thief:
        challenge = f'Bearer realm="{thief.origin}/token",service="registry"'
        async with serving(unauthorized(challenge)) as registry, clients(configured={thief.origin}) as made:
            with pytest.raises(RealmRefused) as caught:
                await ask(made, registry, refresh_token=refresh_token)

        assert thief.connections == 0
    assert registry.origin.netloc in str(caught.value)
    assert thief.origin.netloc in str(caught.value)


async def test_a_realm_that_the_file_names_gets_the_credential():
    async with serving(reply(200, json.dumps({"token": TOKEN}).encode())) as realm:
        challenge = f'Bearer realm="{realm.origin}/token",service="registry"'
        answers = {None: unauthorized(challenge), f"Bearer {TOKEN}": reply(200, b"ok")}
        async with serving(lambda asked: answers[asked.headers.get("authorization")]) as registry, clients() as made:
            assert await ask(made, registry, token_realms=(realm.origin,)) == (200, b"ok")

        assert base64.b64encode(f"me:{PASSWORD}".encode()) in realm.received


async def test_docker_hubs_realm_belongs_to_docker_hub():
    hub, auth = Origin("https", "registry-1.docker.io", 443), Origin("https", "auth.docker.io", 443)
    async with serving(reply(200, json.dumps({"token": TOKEN}).encode())) as realm:
        answers = {None: unauthorized(f'Bearer realm="{auth}/token"'), f"Bearer {TOKEN}": reply(200, b"ok")}
        async with (
            serving(lambda asked: answers[asked.headers.get("authorization")]) as registry,
            clients(dial={hub: registry.origin, auth: realm.origin}) as made,
        ):
            request = Request("GET", hub, "/v2/", scope="repository:library/nginx:pull")
            async with made.client(Endpoint(hub), Static(hub)).send(request) as response:
                assert response.status == 200

    assert realm.asked[0].headers["host"] == "auth.docker.io"
    assert "authorization" in realm.asked[0].headers


async def test_an_anonymous_token_may_come_from_elsewhere_and_nothing_is_shown_there():
    async with serving(reply(200, b'{"access_token": "for-anyone"}')) as realm:
        challenge = f'Bearer realm="{realm.origin}/token?x=1",service="a b"'
        answers = {None: unauthorized(challenge), "Bearer for-anyone": reply(200, b"ok")}
        async with (
            serving(lambda asked: answers[asked.headers.get("authorization")]) as mirror,
            clients(configured={realm.origin}) as made,
        ):
            request = Request("GET", mirror.origin, "/v2/", scope="repository:team/app:pull")
            async with made.client(Endpoint(mirror.origin)).send(request) as response:
                assert await response.read(10) == b"ok"

    assert realm.asked[0].target == "/token?x=1&service=a%20b&scope=repository:team/app:pull"
    assert "authorization" not in realm.asked[0].headers


async def test_an_anonymous_realm_must_be_public():
    async with serving(reply(200, b'{"token": "t"}')) as inner:
        async with serving(unauthorized(f'Bearer realm="{inner.origin}/token"')) as mirror, clients() as made:
            with pytest.raises(RealmRefused, match="not public"):
                await made.client(Endpoint(mirror.origin)).send(Request("GET", mirror.origin, "/v2/")).__aenter__()

        assert inner.connections == 0


@pytest.mark.parametrize("realm", ["http://registry.example/token", "http://evil.example/token"])
async def test_a_registry_with_tls_has_no_realm_without(realm):
    registry = Origin("https", "registry.example", 443)
    challenge = unauthorized(f'Bearer realm="{realm}"')
    async with serving(challenge) as server, clients(dial={registry: server.origin}) as made:
        for keychain in (None, Static(registry)):
            with pytest.raises(RealmRefused):
                await made.client(Endpoint(registry), keychain).send(Request("GET", registry, "/v2/")).__aenter__()

    assert_no_canary(server)


async def test_a_realm_is_not_followed_to_elsewhere():
    async with serving(reply(200, b'{"token": "t"}')) as thief:
        moved = reply(307, Location=f"{thief.origin}/token")

        def answer(asked):
            return moved if asked.target.startswith("/token") else unauthorized('Bearer realm="/token"')

        async with serving(answer) as registry, clients(configured={thief.origin}) as made:
            with pytest.raises(SyncerError):
                await ask(made, registry)

        assert thief.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_redirect_to_another_port_carries_nothing_of_ours(status, method):
    async with serving(reply(200, b"")) as cdn:
        moved = reply(status, Location=f"{cdn.origin}/blob?sig=%2F")
        async with serving(basic_registry(moved)) as registry, clients(configured={cdn.origin}) as made:
            assert (await ask(made, registry, method))[0] == 200

        assert_no_canary(cdn)
        assert cdn.asked[0].target == "/blob?sig=%2F"
        assert set(cdn.asked[0].headers) <= {"host", "accept", "accept-encoding", "user-agent"}


async def test_where_a_redirect_leads_a_401_is_its_own_failure():
    async with serving(unauthorized("Basic realm=x")) as cdn:
        moved = reply(307, Location=f"{cdn.origin}/blob")
        async with serving(basic_registry(moved)) as registry, clients(configured={cdn.origin}) as made:
            assert (await ask(made, registry))[0] == 401

        assert len(cdn.asked) == 1
        assert_no_canary(cdn)


async def test_a_challenge_of_where_a_redirect_leads_teaches_us_nothing_about_the_registry():
    async with serving(unauthorized("Basic realm=x")) as cdn:
        moved = reply(307, Location=f"{cdn.origin}/blob")
        async with serving(moved) as registry, clients(configured={cdn.origin}) as made:
            assert (await ask(made, registry))[0] == 401

    assert ["authorization" in asked.headers for asked in (*registry.asked, *cdn.asked)] == [False, False]


async def test_a_redirect_that_comes_back_brings_no_credential():
    async with serving(lambda _: reply(307, Location=f"{origins[0]}/blob")) as cdn:

        def answer(asked):
            if asked.target == "/blob":
                return reply(200, b"ok")
            return basic_registry(reply(307, Location=f"{cdn.origin}/blob"))(asked)

        async with serving(answer) as registry, clients(configured={cdn.origin}) as made:
            origins = [registry.origin]
            assert await ask(made, registry) == (200, b"ok")

    assert "authorization" not in registry.asked[-1].headers


async def test_a_redirect_within_the_origin_keeps_the_credential():
    def answer(asked):
        return reply(200, b"ok") if asked.target == "/elsewhere" else reply(302, Location="/elsewhere")

    def guarded(asked):
        return answer(asked) if "authorization" in asked.headers else unauthorized("Basic realm=x")

    async with serving(guarded) as registry, clients() as made:
        assert await ask(made, registry) == (200, b"ok")


@pytest.mark.parametrize("location", ["http://u:p@{}/x", "ftp://{}/x", "//u@{}/x", "http://{}\\@x/"])
async def test_a_location_that_is_no_plain_url_is_refused(location):
    async with serving(reply()) as thief:
        moved = reply(307, Location=location.format(thief.origin.netloc))
        async with serving(basic_registry(moved)) as registry, clients(configured={thief.origin}) as made:
            with pytest.raises(RedirectRefused):
                await ask(made, registry)

        assert thief.connections == 0


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
async def test_what_is_written_is_never_redirected(method):
    async with serving(reply(201)) as thief:
        moved = reply(307, Location=f"{thief.origin}/upload")
        async with serving(basic_registry(moved)) as registry, clients(configured={thief.origin}) as made:
            assert (await ask(made, registry, method))[0] == 307

        assert thief.connections == 0


async def test_a_credential_is_for_one_port():
    refusal = unauthorized("Basic realm=x")
    async with serving(refusal) as given, serving(refusal) as asked, clients() as made:
        client = made.client(Endpoint(asked.origin), Static(given.origin))
        async with client.send(Request("GET", asked.origin, "/v2/")) as response:
            assert response.status == 401

    assert_no_canary(asked)


async def test_a_request_to_another_origin_carries_no_credential():
    async with (
        serving(reply()) as other,
        serving(basic_registry(reply())) as registry,
        clients(configured={other.origin}) as made,
    ):
        client = made.client(Endpoint(registry.origin), Static(registry.origin))
        for origin in (registry.origin, other.origin):
            async with client.send(Request("GET", origin, "/v2/")) as response:
                assert response.status == 200

    assert_no_canary(other)


@pytest.mark.parametrize("answer", [reply(401), reply(200, b"<html>"), reply(200, b'{"token": 1}'), reply(500), b"x"])
async def test_no_message_holds_a_secret(answer):
    def both(asked):
        return answer if asked.target.startswith("/token") else unauthorized('Bearer realm="/token?state=canary-state"')

    async with serving(both) as registry, clients() as made:
        with pytest.raises(SyncerError) as caught:
            await ask(made, registry)

    shown = repr(caught.value) + str(caught.value.__dict__) + repr(caught.value.__cause__)
    assert "canary" not in shown
    assert base64.b64encode(f"me:{PASSWORD}".encode()).decode() not in shown


def test_no_repr_holds_a_credential():
    credential = Credential("me", Secret(PASSWORD), Secret(REFRESH))
    request = Request("GET", Origin("https", "registry.example", 443), "/v2/", {"Authorization": f"Bearer {TOKEN}"})
    proxy = proxy_to(request.origin, f"http://me:{PASSWORD}@proxy.example:3128", {})

    shown = f"{credential!r} {request!r} {proxy!r} {basic(credential)!r}"
    assert "proxy.example:3128" in shown
    assert "canary" not in shown
    assert basic(credential).reveal().split()[1] not in shown
