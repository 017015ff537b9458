"""The world plays real hosts: names, dialling, the log, servers that cannot be reached."""

from __future__ import annotations

import aiohttp
import pytest
from rawhttp import ask

from syncer.sandbox import actions, images
from syncer.sandbox.faults import Fault
from syncer.sandbox.server import Server
from syncer.sandbox.v2 import Registry
from syncer.sandbox.world import World


@pytest.fixture
async def famous():
    """A world whose servers go by the names that they play."""
    async with World() as made:
        made.hub.put("nginx", "1.27", images.image("nginx", "1.27"))
        yield made


async def test_dial_leads_from_each_played_origin_to_loopback(famous):
    await famous.add_chinese_mirrors()
    await famous.add_registry("https://quay.io")
    played = {
        "https://docker.io",
        "https://registry-1.docker.io",
        "https://auth.docker.io",
        "https://hub.docker.com",
        "https://production.cloudfront.docker.com",
        "https://6kx4zyno.mirror.aliyuncs.com",
        "https://docker.mirrors.ustc.edu.cn",
        "https://m.daocloud.io",
        "https://auth.m.daocloud.io",
        "https://quay.io",
    }
    assert played <= famous.dial.keys()
    assert all(real.startswith("http://127.0.0.1:") for real in famous.dial.values())


async def test_servers_speak_of_themselves_by_the_names_they_play(http, famous):
    base = famous.dial["https://registry-1.docker.io"]
    challenge = (await ask(http, "GET", f"{base}/v2/")).headers["WWW-Authenticate"]
    assert 'realm="https://auth.docker.io/token"' in challenge


async def test_a_server_of_any_kind_can_join(http, famous):
    own = Server("own", Registry(famous.hub.store), public="https://123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn")
    await famous.add(own)
    opened = await ask(http, "POST", f"{famous.dial[own.public]}/v2/team/app/blobs/uploads/")
    assert opened.headers["Location"].startswith(f"{own.public}/v2/team/app/blobs/uploads/")
    assert famous.log.count("own", "POST") == 1


async def test_the_log_counts_requests_and_bytes(http, world):
    store = await world.add_registry("https://registry.example.test")
    (server,) = [server for server in world.servers if server.name == "registry.example.test"]
    await ask(http, "POST", f"{server.url}/v2/a/blobs/uploads/", data=b"12345")
    digest = store["a"].put_blob(b"0123456789")
    await ask(http, "GET", f"{server.url}/v2/a/blobs/{digest}?from=canary")
    post, get = world.log.find("registry.example.test")
    assert (post.method, post.status, post.received) == ("POST", 202, 5)
    assert (get.method, get.status, get.sent) == ("GET", 200, 10)
    assert world.log.holding("canary") == [get]


async def test_a_registry_with_users_wants_their_password(http, world):
    await world.add_registry("https://registry.example.test", {"alice": "secret"})
    base = world.servers[-1].url
    refused = await ask(http, "GET", f"{base}/v2/")
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Basic realm="Registry"')


async def test_an_origin_can_refuse_connections_and_come_back(http, world):
    server = world.hub.server
    await server.refuse()
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(http, "GET", f"{server.url}/v2/")
    await server.resume()
    assert (await ask(http, "GET", f"{server.url}/v2/")).status == 401


async def test_an_origin_can_accept_connections_and_say_nothing(http, world):
    fault = world.hub.server.faults.add(Fault(actions.hang()))
    with pytest.raises(TimeoutError):
        await ask(http, "GET", f"{world.hub.server.url}/v2/", timeout=aiohttp.ClientTimeout(total=0.2))
    assert fault.fired == 1
