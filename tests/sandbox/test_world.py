"""The world plays real hosts: names, dialling, the log, servers that cannot be reached."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from rawhttp import ask, basic

from syncer.sandbox import actions, images
from syncer.sandbox.faults import Fault
from syncer.sandbox.server import Server
from syncer.sandbox.v2 import Registry
from syncer.sandbox.world import World

ROOT = Path(__file__).parents[2]


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
    plain = await world.add_registry("https://registry.example.test")
    await ask(http, "POST", f"{plain.server.url}/v2/a/blobs/uploads/", data=b"12345")
    digest = plain.store["a"].put_blob(b"0123456789")
    await ask(http, "GET", f"{plain.server.url}/v2/a/blobs/{digest}?from=canary")
    post, get = world.log.find("registry.example.test")
    assert (post.method, post.status, post.received) == ("POST", 202, 5)
    assert (get.method, get.status, get.sent) == ("GET", 200, 10)
    assert world.log.holding("canary") == [get]


async def test_a_registry_can_ask_for_passwords(http, world):
    plain = await world.add_registry("https://registry.example.test")
    plain.ask_for_passwords({"alice": "secret"})
    refused = await ask(http, "GET", f"{plain.server.url}/v2/")
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Basic realm="Registry"')
    assert (await ask(http, "GET", f"{plain.server.url}/v2/", headers=basic("alice", "wrong"))).status == 401
    assert (await ask(http, "GET", f"{plain.server.url}/v2/", headers=basic("alice", "secret"))).status == 200


async def test_a_registry_can_be_its_own_token_realm(http, world):
    plain = await world.add_registry("https://registry.example.test")
    plain.ask_for_tokens({"alice": "secret"})
    url = f"{plain.server.url}/v2/app/blobs/uploads/"
    challenge = (await ask(http, "POST", url)).headers["WWW-Authenticate"]
    assert f'realm="{plain.server.url}/token"' in challenge
    assert 'scope="repository:app:pull,push"' in challenge
    for credential, status in ((basic("alice", "secret"), 202), ({}, 401)):
        query = {"scope": "repository:app:pull,push"}
        issued = await ask(http, "GET", f"{plain.server.url}/token", params=query, headers=credential)
        bearer = {"Authorization": f"Bearer {json.loads(issued.body)['token']}"}
        assert (await ask(http, "POST", url, headers=bearer)).status == status


async def test_a_registry_may_know_no_referrers(http, world):
    plain = await world.add_registry("https://registry.example.test")
    url = f"{plain.server.url}/v2/app/referrers/sha256:{64 * '0'}"
    images.populate(plain.store, "app", "v1", images.image("app", "1"))
    assert (await ask(http, "GET", url)).status == 200
    del plain.registry.handlers["GET", "referrers"]
    assert (await ask(http, "GET", url)).status == 404


async def test_an_origin_can_refuse_connections_and_come_back(http, world):
    server = world.hub.server
    assert (await ask(http, "GET", f"{server.url}/v2/")).status == 401  # the client keeps this connection
    await server.refuse()
    with pytest.raises(aiohttp.ClientConnectionError):
        await ask(http, "GET", f"{server.url}/v2/")
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(http, "GET", f"{server.url}/v2/")
    await server.resume()
    assert (await ask(http, "GET", f"{server.url}/v2/")).status == 401


def test_it_runs_by_hand_until_interrupted():
    command = [sys.executable, "-m", "syncer.sandbox"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline().split()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert (first[0], process.returncode) == ("hub", 0)
    assert first[1].startswith("http://127.0.0.1:")
    assert "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn" in rest


async def test_docker_hub_can_be_out_of_reach_altogether(http, world):
    await world.hub.refuse()
    for server in world.hub.servers:
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask(http, "GET", server.url)
    await world.hub.resume()
    assert (await ask(http, "GET", f"{world.hub.server.url}/v2/")).status == 401


async def test_the_log_finds_a_canary_in_a_form(http, world):
    url = f"{world.hub.auth_server.url}/token"
    await ask(http, "POST", url, data={"grant_type": "password", "username": "a", "password": "canary"})
    assert [entry.server for entry in world.log.holding("canary")] == ["hub-auth"]


async def test_an_origin_can_accept_connections_and_say_nothing(http, world):
    fault = world.hub.server.faults.add(Fault(actions.hang()))
    with pytest.raises(TimeoutError):
        await ask(http, "GET", f"{world.hub.server.url}/v2/", timeout=aiohttp.ClientTimeout(total=0.2))
    assert fault.fired == 1
