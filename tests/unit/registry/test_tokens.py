"""Tokens: how often they are asked for, how long they are kept, and what answers are taken."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from syncer.credentials.keychain import Credential
from syncer.errors import TokenServiceFailed, TooManyRequests, Unauthorized, Unreachable
from syncer.registry.challenge import Challenge
from syncer.registry.tokens import Tokens
from syncer.settings.registries import Endpoint
from syncer.settings.secret import Secret

CHALLENGE = Challenge("bearer", {"realm": "/token", "service": "registry"})
SCOPE = "repository:team/app:pull"


class Given:
    """A keychain with one answer."""

    def __init__(self, credential=None):
        self.known = credential

    async def credential(self, _origin):
        return self.known

    async def renew(self, _origin):
        return None


@pytest.fixture
def service(scripted, answer):
    """A token service that numbers its tokens."""

    def make(**members):
        def grant(_request):
            return answer(200, json.dumps({"token": f"t{len(client.sent)}", **members}).encode())

        client = scripted(grant)
        return client

    return make


def tokens_of(client, clock, origin, credential=None):
    return Tokens(Endpoint(origin), Given(credential), client, clock)


async def test_many_waiters_cause_one_request(service, clock, origin):
    client = service()
    tokens = tokens_of(client, clock, origin)

    found = await asyncio.gather(*(tokens.token(CHALLENGE, SCOPE) for _ in range(20)))

    assert {secret.reveal() for secret in found} == {"Bearer t1"}
    assert len(client.sent) == 1


async def test_each_scope_has_a_token_of_its_own(service, clock, origin):
    client = service()
    tokens = tokens_of(client, clock, origin)

    for scope in (SCOPE, "repository:team/app:pull,push", SCOPE):
        await tokens.token(CHALLENGE, scope)

    assert len(client.sent) == 2


@pytest.mark.parametrize(
    ("expires_in", "used_for"),
    [(300, 240), (60, 48), (None, 48), (43200, 43200 - 900), (0, 48), (-5, 48), ("300", 48), (True, 48), (1.5, 1.2)],
)
async def test_a_token_is_renewed_when_little_of_its_life_remains(service, clock, origin, expires_in, used_for):
    client = service(expires_in=expires_in)
    tokens = tokens_of(client, clock, origin)
    await tokens.token(CHALLENGE, SCOPE)

    clock.advance(used_for - 0.01)
    assert (await tokens.token(CHALLENGE, SCOPE)).reveal() == "Bearer t1"
    clock.advance(0.02)
    assert (await tokens.token(CHALLENGE, SCOPE)).reveal() == "Bearer t2"


async def test_a_refused_token_is_replaced_once_for_all_who_were_refused(service, clock, origin):
    client = service()
    tokens = tokens_of(client, clock, origin)
    old = await tokens.token(CHALLENGE, SCOPE)

    found = await asyncio.gather(*(tokens.token(CHALLENGE, SCOPE, old) for _ in range(5)))

    assert {secret.reveal() for secret in found} == {"Bearer t2"}
    assert len(client.sent) == 2


async def test_waiters_share_a_failure_and_later_ones_ask_anew(scripted, clock, origin):
    async def fail():
        await asyncio.sleep(0.01)
        raise Unreachable("gone")

    client = scripted(lambda _: fail())
    tokens = tokens_of(client, clock, origin)

    results = await asyncio.gather(*(tokens.token(CHALLENGE, SCOPE) for _ in range(10)), return_exceptions=True)
    assert {type(result) for result in results} == {Unreachable}
    assert len(set(map(id, results))) == 10
    assert len(client.sent) == 1

    with pytest.raises(Unreachable):
        await tokens.token(CHALLENGE, SCOPE)
    assert len(client.sent) == 2


async def test_when_the_one_who_asks_is_cancelled_the_next_asks(scripted, answer, clock, origin):
    started = asyncio.Event()

    async def slow_at_first():
        if not started.is_set():
            started.set()
            await asyncio.sleep(60)
        return answer(200, b'{"token": "t"}')

    client = scripted(lambda _: slow_at_first())
    tokens = tokens_of(client, clock, origin)
    first = asyncio.create_task(tokens.token(CHALLENGE, SCOPE))
    await started.wait()
    second = asyncio.create_task(tokens.token(CHALLENGE, SCOPE))
    await asyncio.sleep(0)
    first.cancel()

    assert (await second).reveal() == "Bearer t"
    assert (len(client.sent), client.open) == (2, 0)


@pytest.mark.parametrize("body", [b'{"access_token": "t"}', b'{"token": "t", "access_token": "u", "x": [1]}'])
async def test_both_names_of_a_token_are_taken(scripted, answer, clock, origin, body):
    tokens = tokens_of(scripted(lambda _: answer(200, body)), clock, origin)

    assert (await tokens.token(CHALLENGE, SCOPE)).reveal() == "Bearer t"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"token": ""}',
        b'{"token": 7}',
        b'{"token": "a\\r\\nb"}',
        b'{"token": "\xc3\xa4"}',
    ],
)
async def test_an_answer_without_a_usable_token_is_the_services_failure(scripted, answer, clock, origin, body):
    tokens = tokens_of(scripted(lambda _: answer(200, body)), clock, origin)

    with pytest.raises(TokenServiceFailed):
        await tokens.token(CHALLENGE, SCOPE)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Unauthorized),
        (401, Unauthorized),
        (403, Unauthorized),
        (429, TooManyRequests),
        (404, TokenServiceFailed),
        (307, TokenServiceFailed),
        (500, TokenServiceFailed),
        (503, TokenServiceFailed),
    ],
)
async def test_a_token_service_that_refuses_is_named_with_its_words(scripted, answer, clock, origin, status, kind):
    tokens = tokens_of(scripted(lambda _: answer(status, b"no such user", Retry_After="9")), clock, origin)

    with pytest.raises(kind, match=f"no token for registry.example: .* answers {status}: no such user"):
        await tokens.token(CHALLENGE, SCOPE)


async def test_a_password_is_shown_by_get_and_scopes_are_separate(service, clock, origin):
    client = service()
    await tokens_of(client, clock, origin, Credential("me", Secret("pw"))).token(
        CHALLENGE, f"{SCOPE} repository:b:pull"
    )

    sent = client.sent[0]
    assert (sent.method, sent.headers) == ("GET", {"Authorization": "Basic bWU6cHc="})
    query = parse_qs(urlsplit(sent.target).query)
    assert query == {"service": ["registry"], "scope": [SCOPE, "repository:b:pull"]}


async def test_a_refresh_token_goes_in_the_body_of_a_post(service, clock, origin):
    client = service()
    await tokens_of(client, clock, origin, Credential("", Secret(""), Secret("r&t"))).token(CHALLENGE, SCOPE)

    sent = client.sent[0]
    form = parse_qs(b"".join([chunk async for chunk in sent.body.open()]).decode())
    assert (sent.method, sent.target) == ("POST", "/token")
    assert form["grant_type"] == ["refresh_token"]
    assert (form["refresh_token"], form["scope"], form["service"]) == (["r&t"], [SCOPE], ["registry"])
    assert "Authorization" not in sent.headers
