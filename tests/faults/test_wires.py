"""What goes wrong below HTTP and at its edges: F2, F6 and F22 of the catalogue in README.md."""

import asyncio
import socket
import time

import pytest
from hostile import QUICK, clients, fetch, listening, reply, serving

from syncer.clock import SteppedClock
from syncer.errors import NetworkError, TimedOut, Unreachable
from syncer.oci.origin import Origin
from syncer.registry.client import Clients
from syncer.registry.http import Request
from syncer.registry.surroundings import Surroundings
from syncer.settings.registries import Endpoint

# F2


async def test_f2_a_head_that_drips_is_left():
    async def drips(_asked, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            writer.write(b"X-%d: y\r\n" % number)
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(drips) as server, clients() as made:
        with pytest.raises(TimedOut):
            await asyncio.wait_for(fetch(made, server.origin), 4)
    assert len(server.asked) == 1


# F6


@pytest.fixture
def names(monkeypatch):
    """Answers for names in place of the system's: what `getaddrinfo` raises or gives, in turn."""
    answers, asked = [], []
    real = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **options):
        if host != "registry.example":
            return real(host, *arguments, **options)
        asked.append(host)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, float):
            time.sleep(found)
            found = socket.gaierror(socket.EAI_AGAIN, "no answer")
        if isinstance(found, Exception):
            raise found
        return [each for name in found for each in real(name, *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers, asked


async def look(server, **surroundings) -> bytes:
    """The body that a server with a name of its own gives."""
    origin = Origin("http", "registry.example", server.origin.port)
    around = Surroundings(configured=frozenset({origin}), deadlines=QUICK, **surroundings)
    made = Clients(SteppedClock(), around)
    try:
        async with made.client(Endpoint(origin)).send(Request("GET", origin, "/v2/")) as response:
            return await response.read(100)
    finally:
        await made.aclose()


@pytest.mark.parametrize("code", [socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_NONAME, socket.EAI_NODATA])
async def test_f6_a_name_that_cannot_be_looked_up_is_a_failure_of_that_host_that_may_pass(names, code):
    names[0].append(socket.gaierror(code, "no"))
    async with serving(reply(200, b"well")) as server:
        with pytest.raises(Unreachable, match="the name cannot be resolved") as met:
            await look(server)
    assert met.value.transient
    assert names[1]
    assert not server.asked


async def test_f6_a_name_server_that_does_not_answer_is_left(names):
    names[0].append(2.0)
    began = time.monotonic()
    async with serving(reply(200, b"well")) as server:
        with pytest.raises(NetworkError):
            await look(server)
        assert time.monotonic() - began < 1.9
    assert not server.asked


async def test_f6_one_dead_address_of_several_does_not_matter(names):
    names[0].append(["127.0.0.2", "127.0.0.1"])  # nobody listens at the first
    async with serving(reply(200, b"well")) as server:
        assert await look(server) == b"well"
    assert len(server.asked) == 1


async def test_f6_a_hundred_addresses_are_as_good_as_one(names):
    names[0].append(["127.0.0.1"] * 100)
    async with serving(reply(200, b"well")) as server:
        assert await look(server) == b"well"


# F22


async def test_f22_bytes_behind_an_answer_are_no_answer_to_the_next_request():
    async def talkative(_asked, writer):
        writer.write(reply(200, b"first") + reply(200, b"forged"))

    async with serving(talkative) as server, clients() as made:
        assert await fetch(made, server.origin, "/one") == b"first"
        assert await fetch(made, server.origin, "/two") == b"first"
    assert [asked.target for asked in server.asked] == ["/one", "/two"]
    assert server.connections == 2


async def test_f22_a_server_that_closes_every_connection_is_connected_to_anew():
    async def once(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(200, b"well"))
        await writer.drain()

    async with listening(once) as origin, clients() as made:
        for _ in range(3):
            assert await fetch(made, origin) == b"well"
            await asyncio.sleep(0.05)
