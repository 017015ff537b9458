"""Who is told who we are, and how often a refused request is sent again."""

import asyncio

import pytest
from hostile import body_of

from syncer.credentials.keychain import Credential
from syncer.errors import TimedOut
from syncer.registry.auth import Authenticated
from syncer.registry.failures import failure_of
from syncer.registry.hosts import Hosts
from syncer.registry.http import Request
from syncer.registry.redirects import Following
from syncer.registry.throttle import Gates, Throttled
from syncer.registry.tokens import Tokens
from syncer.settings.registries import Endpoint, Limits
from syncer.settings.secret import Secret

EXPIRED = b'{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate."}]}'


class Rotating:
    """A keychain whose password is renewed on demand, `left` times."""

    def __init__(self, left=1):
        self.number = 1
        self.left = left
        self.renewals = 0
        self.renewed = set()

    async def credential(self, _origin):
        return Credential("AWS", Secret(f"p{self.number}"))

    async def renew(self, origin):
        self.renewals += 1
        self.renewed.add(origin)
        await asyncio.sleep(0)
        if self.left == 0:
            return None
        self.left -= 1
        self.number += 1
        return await self.credential(origin)


@pytest.fixture
def registry(scripted, answer, clock, origin):
    """A registry that wants `accepted` (an Authorization) by the given challenge, and its client."""

    def make(challenge, accepted, keychain=None, refusal=None, slots=64):
        def respond(request):
            if request.target.startswith("/token"):
                return answer(200, b'{"token": "%d"}' % len([r for r in inner.sent if r.target.startswith("/token")]))
            if request.headers.get("Authorization") in accepted:
                return answer(200, b"ok")
            return refusal or answer(401, b"who are you", WWW_Authenticate=challenge)

        inner = scripted(respond)
        gates = Gates(Hosts(clock), clock)
        gates.limit(origin, Limits(in_flight=slots))
        gated = Throttled(inner, gates)
        endpoint = Endpoint(origin)
        client = Authenticated(gated, endpoint, keychain, Tokens(endpoint, keychain, gated, clock))
        return client, inner

    return make


async def get(client, origin, **request):
    async with client.send(Request("GET", origin, "/v2/", scope="repository:a:pull", **request)) as response:
        return response.status, await response.read(1000)


BEARER = 'Bearer realm="/token",service="s"'
P1, P2 = "Basic QVdTOnAx", "Basic QVdTOnAy"


async def test_a_registry_that_asks_for_nothing_gets_nothing(registry, origin):
    client, inner = registry(BEARER, {None}, Rotating())

    assert await get(client, origin) == (200, b"ok")
    assert "Authorization" not in inner.sent[0].headers


async def test_a_challenge_is_answered_and_remembered(registry, origin):
    client, inner = registry(BEARER, {"Bearer 1"})

    for _ in range(3):
        assert await get(client, origin) == (200, b"ok")

    assert [request.target.partition("?")[0] for request in inner.sent] == ["/v2/", "/token", "/v2/", "/v2/", "/v2/"]


async def test_one_slot_is_enough_for_a_request_and_its_token(registry, origin):
    client, inner = registry(BEARER, {"Bearer 1"}, slots=1)

    async with asyncio.timeout(2):
        assert await get(client, origin) == (200, b"ok")
    assert inner.most_open == 1


async def test_the_first_request_goes_alone_so_that_the_others_know_the_challenge(registry, origin):
    client, inner = registry(BEARER, {"Bearer 1"})

    await asyncio.gather(*(get(client, origin) for _ in range(50)))

    assert len([r for r in inner.sent if "Authorization" not in r.headers]) == 2
    assert len(inner.sent) == 52


async def test_fifty_requests_cost_one_timeout(scripted, clock, origin):
    async def silence():
        await asyncio.sleep(0.01)
        raise TimedOut("no answer in time")

    inner = scripted(lambda _: silence())
    client = Authenticated(inner, Endpoint(origin), None, Tokens(Endpoint(origin), None, inner, clock))

    results = await asyncio.gather(*(get(client, origin) for _ in range(50)), return_exceptions=True)

    assert {type(result) for result in results} == {TimedOut}
    assert len(inner.sent) == 1


async def test_a_token_that_is_refused_is_replaced_once(registry, origin):
    client, inner = registry(BEARER, {"Bearer 2"})
    assert (await get(client, origin))[0] == 401
    assert len(inner.sent) == 3

    assert await get(client, origin) == (200, b"ok")
    assert len(inner.sent) == 6


async def test_what_is_still_refused_is_the_answer_with_the_registrys_words(registry, origin):
    client, inner = registry(BEARER, set())

    async with client.send(Request("GET", origin, "/v2/")) as response:
        assert "who are you" in str(await failure_of(response, "x"))
    assert len(inner.sent) == 3


@pytest.mark.parametrize(
    "challenge", ["", "Negotiate", 'Basic realm="x"', 'Bearer service="no realm"', 'Bearer realm="a']
)
async def test_a_challenge_that_cannot_be_answered_is_the_answer(registry, origin, challenge):
    client, inner = registry(challenge, set())

    assert await get(client, origin) == (401, b"who are you")
    assert (len(inner.sent), inner.open) == (1, 0)


async def test_a_refusal_that_cannot_be_answered_keeps_its_headers_and_body(registry, origin):
    client, inner = registry("Negotiate", set())

    async with client.send(Request("GET", origin, "/v2/")) as response:
        assert inner.open == 0
        assert response.header("WWW-Authenticate") == "Negotiate"
        assert response.header_all("WWW-Authenticate") == ["Negotiate"]
        assert [chunk async for chunk in response.chunks()] == [b"who are you"]
        assert await response.read(3) == b"who"


@pytest.mark.parametrize("status", [401, 403])
async def test_an_expired_password_is_renewed_once_for_all(registry, origin, answer, status):
    keychain = Rotating()
    client, _ = registry("Basic realm=x", {P1}, keychain)
    await get(client, origin)
    client._inner._inner.answer = lambda request: (
        answer(200, b"ok") if request.headers["Authorization"] == P2 else answer(status, EXPIRED)
    )

    results = await asyncio.gather(*(get(client, origin) for _ in range(10)))

    assert set(results) == {(200, b"ok")}
    assert (keychain.renewals, keychain.renewed) == (1, {origin})


async def test_a_password_that_cannot_be_renewed_is_not_asked_for_again(registry, origin):
    keychain = Rotating(left=0)
    client, inner = registry("Basic realm=x", set(), keychain)

    results = [await get(client, origin) for _ in range(3)]

    assert results == [(401, b"who are you")] * 3
    assert keychain.renewals == 1
    assert len(inner.sent) == 4


async def test_a_denial_is_neither_answered_nor_lost(registry, origin, answer):
    keychain = Rotating()
    denial = b'{"errors":[{"code":"DENIED","message":"not authorized to perform: ecr:BatchGetImage"}]}'
    client, inner = registry("", set(), keychain, refusal=answer(403, denial))

    assert await get(client, origin) == (403, denial)
    assert (len(inner.sent), keychain.renewals) == (1, 0)


async def test_a_denial_renews_no_password(registry, origin, answer):
    keychain = Rotating()
    client, inner = registry("Basic realm=x", {P1}, keychain)
    await get(client, origin)
    inner.answer = lambda _: answer(403, b"denied")

    assert await get(client, origin) == (403, b"denied")
    assert (len(inner.sent), keychain.renewals) == (3, 0)


async def test_who_comes_back_from_elsewhere_without_a_credential_gets_none(scripted, answer, clock, origin):
    def astray(request):
        if request.origin != origin:
            return answer(307, Location=f"{origin}/back")
        if request.target != "/back":
            return answer(307, Location="https://cdn.example/")
        return answer(401, b"who are you", WWW_Authenticate="Basic realm=x")

    inner, endpoint = scripted(astray), Endpoint(origin)
    client = Authenticated(Following(inner), endpoint, Rotating(), Tokens(endpoint, None, inner, clock))

    assert await get(client, origin) == (401, b"who are you")
    assert ["Authorization" in request.headers for request in inner.sent] == [False] * 3


async def test_a_replayed_body_is_opened_afresh(registry, origin):
    client, inner = registry(BEARER, {"Bearer 1"})

    async with client.send(Request("PUT", origin, "/v2/x", body=body_of(b"layer"))) as response:
        assert response.status == 200

    bodies = [b"".join([c async for c in request.body.open()]) for request in inner.sent if request.body]
    assert bodies == [b"layer", b"layer"]


async def test_the_realm_of_the_first_challenge_stays(registry, origin, answer):
    client, inner = registry(BEARER, {"Bearer 1"})
    await get(client, origin)
    inner.answer = lambda request: (
        answer(200, b'{"token": "x"}')
        if "token" in request.target
        else answer(401, WWW_Authenticate='Bearer realm="/elsewhere/token"')
    )

    await get(client, origin)

    assert not [request for request in inner.sent if request.target.startswith("/elsewhere")]


async def test_a_callers_own_authorization_is_not_sent(registry, origin):
    client, inner = registry(BEARER, {None})

    await get(client, origin, headers={"authorization": "Basic canary"})

    assert "authorization" not in {name.lower() for name in inner.sent[0].headers}
