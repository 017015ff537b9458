"""Tokens: how often they are asked for, how long they are kept, and what answers are taken."""

import asyncio
import json
from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from syncer.credentials.keychain import Credential
from syncer.errors import (
    RealmRefused,
    RedirectRefused,
    TokenServiceFailed,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from syncer.oci.names import Origin
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
    [
        (300, 240),
        (60, 48),
        (1, 0.8),
        (None, 48),
        (43200, 43200 - 900),
        (0, 48),
        (-5, 48),
        ("300", 48),
        (True, 48),
        (1.5, 1.2),
    ],
)
async def test_a_token_is_renewed_when_little_of_its_life_remains(service, clock, origin, expires_in, used_for):
    client = service(expires_in=expires_in)
    tokens = tokens_of(client, clock, origin)
    await tokens.token(CHALLENGE, SCOPE)

    clock.advance(used_for - 0.01)
    assert (await tokens.token(CHALLENGE, SCOPE)).reveal() == "Bearer t1"
    clock.advance(0.02)
    assert (await tokens.token(CHALLENGE, SCOPE)).reveal() == "Bearer t2"


async def test_a_token_is_not_used_at_the_moment_when_its_use_ends(service, clock, origin):
    client = service(expires_in=300)
    tokens = tokens_of(client, clock, origin)
    await tokens.token(CHALLENGE, SCOPE)

    clock.advance(240)

    assert (await tokens.token(CHALLENGE, SCOPE)).reveal() == "Bearer t2"


@pytest.mark.parametrize("other", [{"realm": "/other", "service": "registry"}, {"realm": "/token", "service": "other"}])
async def test_each_realm_and_service_has_tokens_of_its_own(service, clock, origin, other):
    tokens = tokens_of(service(), clock, origin)

    assert (await tokens.token(CHALLENGE, SCOPE)).reveal() == "Bearer t1"
    assert (await tokens.token(Challenge("bearer", other), SCOPE)).reveal() == "Bearer t2"
    assert (await tokens.token(CHALLENGE, SCOPE)).reveal() == "Bearer t1"


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

    await asyncio.gather(*(tokens.token(CHALLENGE, SCOPE) for _ in range(10)), return_exceptions=True)
    assert len(client.sent) == 3


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
    ("body", "message"),
    [
        (b"", "no token"),
        (b"<html>", "no token"),
        (b"[]", "no token"),
        (b'{"token": 7}', "no token"),
        (b'{"token": "t", "Token": "u"}', "no token"),
        (b'{"token": "t", "ACCESS_TOKEN": "u"}', "no token"),
        (b"{}", "no usable token"),
        (b'{"token": ""}', "no usable token"),
        (b'{"token": "a\\r\\nb"}', "no usable token"),
        (b'{"token": "\xc3\xa4"}', "no usable token"),
    ],
)
async def test_an_answer_without_a_usable_token_is_the_services_failure(scripted, answer, clock, body, message):
    client = scripted(lambda _: answer(200, body))
    tokens = tokens_of(client, clock, Origin("https", "registry.example", 443))
    elsewhere = Challenge("bearer", {"realm": "https://auth.example/token"})

    with pytest.raises(TokenServiceFailed, match=f"auth.example answers with {message}") as error:
        await tokens.token(elsewhere, SCOPE)
    assert error.value.host == "auth.example"


async def test_why_an_answer_has_no_token_is_the_errors_cause(scripted, answer, clock, origin):
    tokens = tokens_of(scripted(lambda _: answer(200, b"[]")), clock, origin)

    with pytest.raises(TokenServiceFailed) as error:
        await tokens.token(CHALLENGE, SCOPE)
    assert str(error.value.__cause__) == "the answer is not a JSON object"


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

    with pytest.raises(kind, match=f"no token for registry.example: .* answers {status}: no such user") as error:
        await tokens.token(CHALLENGE, SCOPE)
    assert error.value.host == "registry.example"


@pytest.mark.parametrize(
    ("credential", "whose"),
    [(None, "without a credential"), (Credential("me", Secret("pw")), "with the credential given for it")],
)
async def test_who_is_refused_a_token_is_told_as_whom(scripted, answer, clock, origin, credential, whose):
    tokens = tokens_of(scripted(lambda _: answer(401)), clock, origin, credential)

    with pytest.raises(Unauthorized, match=rf"answers 401 \({whose}\)$"):
        await tokens.token(CHALLENGE, SCOPE)


async def test_a_token_service_says_how_long_to_wait_by_the_clock(scripted, answer, clock, origin):
    for wanted in ("9", format_datetime(clock.now() + timedelta(seconds=9), usegmt=True)):
        client = scripted(lambda _, wanted=wanted: answer(429, Retry_After=wanted))

        with pytest.raises(TooManyRequests) as error:
            await tokens_of(client, clock, origin).token(CHALLENGE, SCOPE)
        assert error.value.retry_after == 9


async def refused_realm(client, clock, realm, credential=None):
    """The error of one who is sent to `realm` for a token, and goes nowhere."""
    tokens = tokens_of(client, clock, Origin("https", "registry.example", 443), credential)
    params = {} if realm is None else {"realm": realm}
    with pytest.raises(RealmRefused) as error:
        await tokens.token(Challenge("bearer", params), SCOPE)
    assert error.value.host == "registry.example"
    assert str(error.value).startswith("registry.example ")
    return str(error.value)


@pytest.mark.parametrize("realm", [None, "", "ftp://auth.example/", "https://me@auth.example/"])
async def test_a_realm_that_is_no_place_is_refused(service, clock, realm):
    client = service()

    assert "to a place that is none: " in await refused_realm(client, clock, realm)
    assert client.sent == []


async def test_a_realm_that_was_not_named_gets_no_credential(service, clock):
    client = service()
    said = await refused_realm(client, clock, "https://auth.example/", Credential("me", Secret("pw")))

    assert said.endswith("to be shown at https://auth.example, for which it was not given")
    assert client.sent == []


async def test_a_realm_without_tls_is_refused_to_whom_tls_was_promised(service, clock):
    client = service()

    assert (await refused_realm(client, clock, "http://auth.example/")).endswith("to http://auth.example, without TLS")
    assert client.sent == []


async def test_a_realm_that_is_not_public_is_the_registrys_doing(scripted, clock):
    async def guarded():
        raise RedirectRefused("a server names auth.example", host="auth.example")

    said = await refused_realm(scripted(lambda _: guarded()), clock, "https://auth.example/")

    assert said.endswith("sends us for a token to https://auth.example, which is not public")


async def test_a_realm_without_a_host_is_relative_to_v2(service, clock, origin):
    client = service()
    await tokens_of(client, clock, origin).token(Challenge("bearer", {"realm": "token"}), SCOPE)

    assert client.sent[0].target == f"/v2/token?scope={SCOPE}"


@pytest.mark.parametrize("realm", ["/token", "/token?a=b"])
async def test_who_needs_no_service_and_no_scope_names_none(service, clock, origin, realm):
    client = service()
    await tokens_of(client, clock, origin).token(Challenge("bearer", {"realm": realm}), "")

    assert client.sent[0].target == realm


async def test_what_is_no_text_in_a_challenge_is_sent_as_it_came(service, clock, origin):
    challenge = Challenge("bearer", {"realm": "/token", "service": "\udce9"})
    sent = []
    for credential in (None, Credential("", Secret(""), Secret("r"))):
        client = service()
        await tokens_of(client, clock, origin, credential).token(challenge, SCOPE)
        sent += client.sent

    assert sent[0].target == f"/token?service=%E9&scope={SCOPE}"
    assert b"service=%E9&" in b"".join([chunk async for chunk in sent[1].body.open()])


async def test_a_password_is_shown_by_get_and_scopes_are_separate(service, clock, origin):
    client = service()
    await tokens_of(client, clock, origin, Credential("me", Secret("pw"))).token(
        CHALLENGE, f"{SCOPE} repository:b:pull"
    )

    sent = client.sent[0]
    assert (sent.method, sent.headers) == ("GET", {"Authorization": "Basic bWU6cHc="})
    assert not sent.anonymous
    query = parse_qs(urlsplit(sent.target).query)
    assert query == {"service": ["registry"], "scope": [SCOPE, "repository:b:pull"]}


async def test_without_a_credential_nothing_of_ours_may_be_added(service, clock, origin):
    client = service()
    await tokens_of(client, clock, origin).token(CHALLENGE, SCOPE)

    assert client.sent[0].anonymous
    assert client.sent[0].headers == {}


async def test_a_refresh_token_goes_in_the_body_of_a_post(service, clock, origin):
    client = service()
    tokens = tokens_of(client, clock, origin, Credential("", Secret(""), Secret("r&t")))
    await tokens.token(CHALLENGE, f"{SCOPE} repository:b:pull")

    sent = client.sent[0]
    body = b"".join([chunk async for chunk in sent.body.open()])
    assert (sent.method, sent.url, sent.body.size) == ("POST", "https://registry.example/token", len(body))
    assert sent.headers == {"Content-Type": "application/x-www-form-urlencoded"}
    assert parse_qs(body.decode()) == {
        "grant_type": ["refresh_token"],
        "client_id": ["syncer"],
        "refresh_token": ["r&t"],
        "scope": [f"{SCOPE} repository:b:pull"],
        "service": ["registry"],
    }
