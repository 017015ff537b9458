"""What an answer that refuses means: the kind of error, and the registry's own words made safe."""

import json

import pytest
from hostile import clients, serving

from syncer import errors
from syncer.registry.failures import failure_of, one_line, refusal_of
from syncer.registry.http import Request
from syncer.settings.registries import Endpoint


def envelope(code, message):
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@pytest.mark.parametrize(
    ("status", "kind", "transient"),
    [
        (401, errors.Unauthorized, False),
        (403, errors.Denied, False),
        (404, errors.NotFound, False),
        (408, errors.TimedOut, True),
        (410, errors.NotFound, False),
        (425, errors.TooManyRequests, True),
        (429, errors.TooManyRequests, True),
        (400, errors.RequestRefused, False),
        (405, errors.RequestRefused, False),
        (413, errors.RequestRefused, False),
        (418, errors.RequestRefused, False),
        (451, errors.RequestRefused, False),
        (500, errors.ServerError, True),
        (503, errors.ServerError, True),
        (599, errors.ServerError, True),
        (307, errors.RedirectRefused, False),
        (204, errors.ProtocolViolation, True),
    ],
)
async def test_a_status_means_an_error(answer, status, kind, transient):
    error = await failure_of(answer(status, envelope("SOME_CODE", "some words")), "team/app:v1")

    assert (type(error), error.transient, error.host) == (kind, transient, "registry.example")
    assert error.message == f"team/app:v1: registry.example answers {status}: SOME_CODE: some words"


async def test_a_refused_scope_is_said_to_be_missing_or_private(answer):
    response = answer(401, WWW_Authenticate='Bearer realm="https://a/t",error="insufficient_scope"')

    assert "does not exist there, or is private" in str(await failure_of(response, "team/app:v1"))


@pytest.mark.parametrize(
    "words",
    [
        "You have reached your pull rate limit. You may increase…",
        "You have reached your unauthenticated pull RATE LIMIT.",
    ],
)
async def test_a_spent_pull_budget_is_not_waited_for(answer, words):
    error = await failure_of(answer(429, envelope("TOOMANYREQUESTS", words)), "nginx:1.27")

    assert isinstance(error, errors.PullBudgetSpent)
    assert not error.transient


async def test_a_short_limit_says_how_long_to_wait(answer):
    response = answer(429, b"Too Many Requests (HAP429).\n", Retry_After="60")

    error = await failure_of(response, "nginx:1.27")

    assert isinstance(error, errors.TooManyRequests)
    assert error.retry_after == 60


@pytest.mark.parametrize(
    ("body", "codes", "words"),
    [
        (b"Not Authorized\n", (), "Not Authorized"),
        (b"", (), ""),
        (b"<!DOCTYPE html><html>login</html>", (), "an HTML page"),
        (b"  <HTML><body>portal", (), "an HTML page"),
        (b'{"errors": []}', (), ""),
        (b'{"errors": [{"code": "404", "message": "Not Found"}]}', ("404",), "404: Not Found"),
        (b'{"errors": [{"code": 7}, "x", null]}', ("7",), "7"),
        (b'{"errors": {"a": 1}}', (), '{"errors": {"a": 1}}'),
        (b'{"message": "no"}', (), '{"message": "no"}'),
        (b"[" * 100_000, (), "[" * 299 + "…"),
        (b"a\x1b[31m\nb\x00\xff", (), "a\\x1b[31m b\\x00\ufffd"),
    ],
)
async def test_words_are_read_from_any_body_and_made_safe(answer, body, codes, words):
    refusal = await refusal_of(answer(400, body))

    assert (refusal.codes, refusal.words) == (codes, words)


def test_no_word_moves_a_terminal():
    assert one_line("a\u202eb\x07c\r\nd") == "a\\x202eb\\x07c d"
    assert one_line("镜像不存在") == "镜像不存在"


async def test_a_body_that_breaks_off_leaves_the_status(answer):
    response = answer(503, b"half")
    response.failure = errors.Unreachable("the connection broke")

    assert type(await failure_of(response, "team/app:v1")) is errors.ServerError


OWN = [
    {
        "response": "HTTP/1.1 404 Not Found\r\nContent-Length: 65\r\n\r\n"
        '{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}'[:65],
        "expect_message": '{"errors"',
    }
]


@pytest.mark.table("registry_error_responses", own=OWN)
async def test_real_refusals_are_read_off_the_wire(case):
    raw = case["response"].encode()
    async with serving(raw if b"Content-Length" in raw else close_after(raw)) as server, clients() as made:
        request = Request("GET", server.origin, "/v2/x", anonymous=True)
        async with made.client(Endpoint(server.origin)).send(request) as response:
            error = await failure_of(response, "x")

    status = int(raw.split()[1])
    assert isinstance(error, errors.SyncerError)
    assert f"answers {status}" in error.message
    assert "\n" not in error.message
    for words in ("manifest unknown", "page not found", "artifact test/alpine"):
        assert (words in case["response"]) <= (words in error.message)


def close_after(raw):
    async def answer(_asked, writer):
        writer.write(raw)
        await writer.drain()
        writer.close()

    return answer
