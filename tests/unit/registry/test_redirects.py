"""Redirects: how far they are followed, and which are not."""

import pytest

from syncer.errors import ProtocolViolation, RedirectRefused
from syncer.oci.names import Origin
from syncer.registry.http import Request
from syncer.registry.redirects import Following


async def get(client, request):
    async with client.send(request) as response:
        return response.status, response.request.url


def chain(answer, length):
    """A server where /0 leads to /1 and so on."""

    def at(request):
        number = int(request.target[1:])
        return answer(200) if number == length else answer(302, Location=f"/{number + 1}")

    return at


async def test_five_redirects_are_followed_and_each_is_closed_first(scripted, answer, origin):
    inner = scripted(chain(answer, 5))

    assert await get(Following(inner), Request("GET", origin, "/0")) == (200, "https://registry.example/5")
    assert inner.most_open == 1


async def test_a_sixth_redirect_is_refused(scripted, answer, origin):
    inner = scripted(chain(answer, 6))

    with pytest.raises(RedirectRefused, match=r"more than 5 redirects, the last of them to registry\.example") as error:
        await get(Following(inner), Request("GET", origin, "/0"))
    assert error.value.host == "registry.example"
    assert len(inner.sent) == 6


async def test_a_circle_is_refused(scripted, answer, origin):
    inner = scripted(lambda request: answer(307, Location="/b" if request.target == "/a" else "/a"))

    with pytest.raises(RedirectRefused, match="circle"):
        await get(Following(inner), Request("GET", origin, "/a"))
    assert len(inner.sent) == 2


async def test_a_redirect_to_nowhere_is_a_violation(scripted, answer, origin):
    with pytest.raises(ProtocolViolation, match=r"^registry\.example answers 307 without a Location$") as error:
        await get(Following(scripted(lambda _: answer(307))), Request("GET", origin, "/a"))
    assert error.value.host == "registry.example"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("ftp://cdn.example/", "registry.example redirects to an address that is refused"),
        ("http://cdn.example/", "registry.example redirects from https to http://cdn"),
        ("/a", "a redirect leads in a circle at registry.example"),
    ],
)
async def test_a_redirect_that_is_refused_names_its_host(scripted, answer, origin, location, message):
    inner = scripted(lambda _: answer(307, Location=location))

    with pytest.raises(RedirectRefused, match=message) as error:
        await get(Following(inner), Request("GET", origin, "/a"))
    assert error.value.host == "registry.example"
    assert len(inner.sent) == 1


async def test_without_tls_a_redirect_may_stay_without_or_go_up(scripted, answer):
    for there in ("http://cdn.example", "https://cdn.example"):
        inner = scripted(lambda r, to=f"{there}/b": answer() if r.anonymous else answer(307, Location=to))

        request = Request("GET", Origin("http", "registry.example", 80), "/a")
        assert await get(Following(inner), request) == (200, f"{there}/b")


@pytest.mark.parametrize("status", [300, 304, 305])
async def test_other_answers_of_the_kind_are_left_to_the_caller(scripted, answer, origin, status):
    inner = scripted(lambda _: answer(status, Location="/b"))

    assert await get(Following(inner), Request("GET", origin, "/a")) == (status, "https://registry.example/a")


async def test_another_origin_gets_accept_and_range_and_nothing_else(scripted, answer, origin):
    inner = scripted(lambda r: answer() if r.anonymous else answer(307, Location="https://cdn.example/b"))
    headers = {"Accept": "a", "range": "bytes=1-", "Authorization": "x", "Cookie": "y", "X-Own": "z"}

    await get(Following(inner), Request("GET", origin, "/a", headers))

    assert inner.sent[1].headers == {"Accept": "a", "range": "bytes=1-"}


async def test_an_error_in_the_callers_block_is_the_callers(scripted, answer, origin):
    inner = scripted(lambda _: answer())

    async def fail():
        async with Following(inner).send(Request("GET", origin, "/a")):
            raise RedirectRefused("of the caller")

    with pytest.raises(RedirectRefused, match="of the caller"):
        await fail()
    assert (inner.open, len(inner.sent)) == (0, 1)
