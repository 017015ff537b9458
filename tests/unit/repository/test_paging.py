"""Lists of registries that lie about how long they are (S4, S19, S20)."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from syncer.clock import SystemClock
from syncer.errors import NotFound, ProtocolViolation, RedirectRefused, RequestRefused, ServerError
from syncer.oci.names import RepositoryName
from syncer.oci.origin import Origin
from syncer.registry.client import Clients
from syncer.registry.plain import PlainRegistry
from syncer.sandbox.answers import answer, json_answer, refusal
from syncer.sandbox.server import Server
from syncer.settings.registries import Endpoint

PATH = "/v2/team/app/tags/list"


@asynccontextmanager
async def registry(respond, prefix=""):
    """A registry whose every answer is `respond(query)`, or an answer itself."""
    asked = []

    async def handle(request, _url):
        query = request.raw_path.partition("?")[2]
        asked.append(query)
        return respond(query) if callable(respond) else respond

    clients = Clients(SystemClock())
    async with Server("lister", handle) as server:
        endpoint = Endpoint(Origin.parse(server.url), prefix)
        made = PlainRegistry(endpoint.name, endpoint, clients.client(endpoint), clients.hosts.of(endpoint.name))
        made.asked = asked
        try:
            yield made
        finally:
            await clients.aclose()


def page(*tags, link=None):
    headers = {"Link": f'<{link}>; rel="next"'} if link else {}
    return json_answer(200, {"name": "team/app", "tags": tags}, headers)


async def tags(made):
    return list(map(str, await made.source(RepositoryName("team/app")).tags()))


async def test_pages_are_followed_and_each_tag_is_there_once():
    def respond(query):
        return page("b", "a", link="?last=%2Bopaque%2F%3D%3D&n=2") if "last" not in query else page("a", "c", "c")

    async with registry(respond) as made:
        assert await tags(made) == ["b", "a", "c"]

        assert made.asked == ["n=1000", "last=%2Bopaque%2F%3D%3D&n=2"]


@pytest.mark.parametrize("body", [b'{"tags": null}', b'{"name": "x"}', b'{"tags": []}'])
async def test_no_tags_are_no_tags(body):
    async with registry(answer(200, body)) as made:
        assert await tags(made) == []


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"tags": "latest"}', b'{"tags": [1]}', b'{"tags": ["a"], "Tags": []}']
)
async def test_what_is_no_list_is_an_error(body):
    async with registry(answer(200, body)) as made:
        with pytest.raises(ProtocolViolation):
            await tags(made)


@pytest.mark.parametrize("tag", ["../x", "a b", "\x1b[31m", "", "x" * 129, "a\r\nb"])
async def test_a_tag_that_cannot_be_is_named_and_nothing_of_the_list_believed(tag):
    async with registry(page("good", tag)) as made:
        with pytest.raises(ProtocolViolation) as raised:
            await tags(made)

        assert len(str(raised.value).splitlines()) == 1
        assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ("http://elsewhere.example/v2/team/app/tags/list?last=a", RedirectRefused),
        ("https://127.0.0.1/v2/team/app/tags/list?last=a", RedirectRefused),
        ("/v2/other/tags/list?last=a", ProtocolViolation),
        ("/v2/team/app/tags/list/../../../other/tags/list", ProtocolViolation),
        ("http://user:pw@127.0.0.1/v2/team/app/tags/list", ProtocolViolation),
    ],
)
async def test_the_next_page_is_at_the_same_place(link, error):
    async with registry(lambda _query: page("a", link=link)) as made:
        with pytest.raises(error):
            await tags(made)

        assert len(made.asked) == 1


async def test_a_cursor_that_comes_again_is_an_error():
    async with registry(lambda _query: page("a", link="?last=a")) as made:
        with pytest.raises(ProtocolViolation, match="never ends"):
            await tags(made)

        assert len(made.asked) == 2


async def test_a_list_without_end_is_cut_off():
    def respond(query):
        return page("a", link=f"?last={int(query.rpartition('=')[2]) + 1}")

    async with registry(respond) as made:
        with pytest.raises(ProtocolViolation, match="never ends"):
            await tags(made)

        assert len(made.asked) == 1000


async def test_more_entries_than_a_registry_can_have_are_an_error():
    def respond(query):
        first = 0 if query == "n=1000" else int(query.rpartition("=")[2])
        return page(*map(str, range(first, first + 50_000)), link=f"?last={first + 50_000}")

    async with registry(respond) as made:
        with pytest.raises(ProtocolViolation, match="more than 100000"):
            await tags(made)


async def test_half_a_list_is_an_error():
    async with registry(lambda query: page("a", link="?last=a") if "last" not in query else answer(503)) as made:
        with pytest.raises(ServerError):
            await tags(made)


@pytest.mark.parametrize("status", [400, 405, 413])
async def test_a_registry_that_refuses_a_page_size_is_asked_without(status):
    async with registry(lambda query: answer(status) if "n=" in query else page("a")) as made:
        assert await tags(made) == ["a"]


async def test_what_is_refused_without_a_page_size_too_is_refused():
    async with registry(lambda _query: refusal(400, "UNSUPPORTED", "no lists here")) as made:
        with pytest.raises(RequestRefused, match="no lists here"):
            await tags(made)


async def test_repositories_are_those_below_the_prefix():
    def respond(_query):
        return json_answer(200, {"repositories": ["docker.io/library/nginx", "quay.io/x/y", "docker.io/a/b"]})

    async with registry(respond, "docker.io") as made:
        assert list(map(str, await made.repositories())) == ["library/nginx", "a/b"]


async def test_a_registry_without_a_catalog_says_so():
    async with registry(lambda _query: answer(404)) as made:
        with pytest.raises(NotFound, match="repositories"):
            await made.repositories()
