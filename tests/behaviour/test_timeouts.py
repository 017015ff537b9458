"""`timeouts` of mirrors.yaml: nothing hangs, whatever a host does, and each host has its own."""

import asyncio
import socket
import time

import pytest
from hostile import body_of, clients, listening, reply, serving

from syncer.config.load import load_text
from syncer.errors import TimedOut
from syncer.oci.origin import Origin
from syncer.registry.http import Access, Request
from syncer.settings.registries import Endpoint
from syncer.settings.timeouts import Timeouts

LONG = 30.0


async def waits(_asked, _writer):
    await asyncio.sleep(LONG)


async def stalls(_asked, writer):
    writer.write(reply(200, b"x" * 100)[:-50])
    await asyncio.sleep(LONG)


async def drips(_asked, writer):
    writer.write(reply(200, b"x" * 1000)[:-1000])
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def timed_out(origin, timeouts, **request):
    """How long it took, and what was said."""
    began = time.monotonic()
    async with clients(deadlines=None) as made:
        client = made.client(Endpoint(origin, timeouts=timeouts))
        with pytest.raises(TimedOut) as met:
            async with client.send(Request("GET", origin, "/v2/", **request)) as response:
                await response.read(10_000)
    assert time.monotonic() - began < LONG / 3
    return met.value


@pytest.mark.parametrize(
    ("answer", "timeouts", "said"),
    [
        (waits, Timeouts(headers=0.3), "no answer in time"),
        (stalls, Timeouts(stall=0.3), "no byte came for 0.3 s"),
        (drips, Timeouts(floor=500, window=0.4), "bytes came in 0 s"),
    ],
)
async def test_a_host_has_the_time_that_its_file_gives_it(answer, timeouts, said):
    async with serving(answer) as server:
        error = await timed_out(server.origin, timeouts)

    assert len(server.asked) == 1
    assert said in error.message
    assert error.host == server.origin.netloc


async def test_a_host_that_takes_no_connection_has_the_time_that_its_file_gives_it():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)  # noqa: FBT003 -- its only form
            filler.connect_ex(("127.0.0.1", port))
        await timed_out(Origin("http", "127.0.0.1", port), Timeouts(connect=0.3))
        for filler in fillers:
            filler.close()


async def test_a_host_that_reads_no_body_has_the_time_that_its_file_gives_it():
    async def deaf(_reader, _writer):
        await asyncio.sleep(LONG)

    body = body_of(*[bytes(1 << 20)] * 16)
    async with listening(deaf) as origin:
        began = time.monotonic()
        async with clients(deadlines=None) as made:
            client = made.client(Endpoint(origin, timeouts=Timeouts(stall=0.3)))
            with pytest.raises(TimedOut):
                async with client.send(Request("PUT", origin, "/v2/", body=body, access=Access.PUSH)):
                    pass
    assert time.monotonic() - began < LONG / 3


async def test_no_floor_lets_a_trickle_come_to_its_end():
    async def slow(_asked, writer):
        writer.write(reply(200, b"x" * 10)[:-10])
        for _ in range(10):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with serving(slow) as server, clients(deadlines=None) as made:
        client = made.client(Endpoint(server.origin, timeouts=Timeouts(floor=0, window=0.1)))
        async with client.send(Request("GET", server.origin, "/v2/")) as response:
            assert await response.read(100) == b"x" * 10


async def test_two_hosts_of_one_run_have_each_their_own():
    async def late(_asked, writer):
        await asyncio.sleep(0.6)
        writer.write(reply(200, b"late"))

    async with serving(late) as slow, serving(late) as quick, clients(deadlines=None) as made:
        hasty = made.client(Endpoint(quick.origin, timeouts=Timeouts(headers=0.2)))
        with pytest.raises(TimedOut):
            async with hasty.send(Request("GET", quick.origin, "/v2/")):
                pass
        async with made.client(Endpoint(slow.origin)).send(Request("GET", slow.origin, "/v2/")) as response:
            assert await response.read(10) == b"late"


def loaded(tmp_path, defaults, registry, mirror="{url: m.example}"):
    return load_text(
        f"version: 1\nregistries: {{quay.io: {{timeouts: {registry}, mirrors: [{mirror}]}}}}\n"
        f"targets: {{a: {{registry: r.example}}}}\ndefaults: {defaults}\nimages: [{{source: quay.io/o/p}}]\n",
        "m",
        {},
        tmp_path,
    )


def test_what_a_registry_does_not_say_comes_from_the_defaults_of_the_file(tmp_path):
    made = loaded(tmp_path, "{timeouts: {connect: 2s, headers: 500ms, floor: off}}", "{headers: 2m, window: 1.5m}")
    quay, (mirror,) = made.registry("quay.io").endpoint.timeouts, made.registry("quay.io").mirrors

    assert quay == Timeouts(connect=2, headers=120, floor=0, window=90)
    assert mirror.endpoint.timeouts == Timeouts(connect=2, headers=0.5, floor=0)
    assert made.registry("elsewhere.example").endpoint.timeouts == Timeouts(connect=2, headers=0.5, floor=0)


def test_a_mirror_has_its_own(tmp_path):
    made = loaded(tmp_path, "{}", "{stall: 1s}", "{url: m.example, timeouts: {stall: 5s, floor: 2k}}")

    assert made.registry("quay.io").mirrors[0].endpoint.timeouts == Timeouts(stall=5, floor=2000)
