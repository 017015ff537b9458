"""Faults hit the requests that they name, as often as they say, and count."""

from __future__ import annotations

import aiohttp
import pytest
from rawhttp import ask, push_blob, put_upload, sha256

from syncer.sandbox import actions
from syncer.sandbox.faults import Fault

DATA = bytes(range(256)) * 1000


@pytest.fixture
async def plain(world):
    made = await world.add_registry("https://registry.example.test")
    made.store.create("app").put_blob(DATA)
    return made


@pytest.fixture
def server(plain):
    return plain.server


@pytest.fixture
def url(server) -> str:
    return f"{server.url}/v2/app/blobs/{sha256(DATA)}"


async def test_the_third_put_answers_429(http, server):
    fault = server.faults.add(Fault(actions.too_many("1"), method="PUT", after=2, times=1))
    pushed = [await push_blob(http, server.url, "app", b"blob %d" % number) for number in range(4)]
    assert [seen.status for seen in pushed] == [201, 201, 429, 201]
    assert (pushed[2].headers["Retry-After"], fault.seen, fault.fired) == ("1", 4, 1)


async def test_a_fault_hits_only_its_path_and_condition(http, server, url):
    server.faults.add(Fault(actions.reply(500), path="/manifests/"))
    server.faults.add(Fault(actions.reply(500), when=lambda request: "Range" in request.headers))
    assert (await ask(http, "GET", url)).status == 200
    assert (await ask(http, "GET", url, headers={"Range": "bytes=0-1"})).status == 500


@pytest.mark.parametrize("at", [0, 1, 70_000, len(DATA) - 1])
async def test_a_blob_is_cut_at_a_byte(http, server, url, at):
    server.faults.add(Fault(actions.cut(at)))
    got = bytearray()

    async def read() -> None:
        async with http.get(url) as response:
            async for piece in response.content.iter_any():
                got.extend(piece)

    with pytest.raises(aiohttp.ClientPayloadError):
        await read()
    assert got == DATA[:at]


@pytest.mark.parametrize("at", [0, 70_000, len(DATA) - 1])
async def test_one_byte_is_flipped(http, server, url, at):
    server.faults.add(Fault(actions.flip(at)))
    got = (await ask(http, "GET", url)).body
    assert [number for number, byte in enumerate(got) if byte != DATA[number]] == [at]


async def test_a_stall_comes_after_the_bytes_before_it(http, server, url):
    server.faults.add(Fault(actions.stall(1000)))
    async with http.get(url, timeout=aiohttp.ClientTimeout(total=5, sock_read=0.5)) as response:
        assert await response.content.readexactly(1000) == DATA[:1000]
        with pytest.raises(aiohttp.SocketTimeoutError):
            await response.content.readany()


async def test_a_lost_answer_has_done_its_deed(http, plain, server):
    opened = await ask(http, "POST", f"{server.url}/v2/app/blobs/uploads/")
    server.faults.add(Fault(actions.lose_answer(), method="PUT", times=1))
    with pytest.raises(aiohttp.ClientOSError):
        await put_upload(http, opened, sha256(b"done"), b"done")
    assert sha256(b"done") in plain.store["app"].blobs


async def test_a_reset_has_done_nothing(http, plain, server):
    opened = await ask(http, "POST", f"{server.url}/v2/app/blobs/uploads/")
    server.faults.add(Fault(actions.reset(), method="PUT", times=1))
    with pytest.raises(aiohttp.ClientOSError):
        await put_upload(http, opened, sha256(b"done"), b"done")
    assert sha256(b"done") not in plain.store["app"].blobs


async def test_faults_can_be_cleared(http, server, url):
    server.faults.add(Fault(actions.reply(500)))
    server.faults.clear()
    assert (await ask(http, "GET", url)).status == 200
