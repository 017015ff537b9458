"""The fidelity list of a fake mirror (7.3): every behaviour under its place in the list."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from rawhttp import ask, basic, sha256

from syncer.sandbox import actions
from syncer.sandbox.faults import Fault
from syncer.sandbox.images import image

NGINX = "library/nginx"
SOON = aiohttp.ClientTimeout(total=0.3)


@pytest.fixture
async def mirror(world):
    """A mirror in host form."""
    return await world.add_mirror("https://6kx4zyno.mirror.aliyuncs.com")


@pytest.fixture
def store(world):
    return world.hub.store[NGINX]


def at(mirror, path: str) -> str:
    return f"{mirror.server.url}/v2/{path}"


@pytest.fixture
def manifest_url(mirror) -> str:
    return at(mirror, f"{NGINX}/manifests/1.27")


@pytest.fixture
def blob(store):
    """The largest blob of nginx."""
    return max(store.blobs.values(), key=lambda item: item.size)


@pytest.fixture
def blob_url(mirror, blob) -> str:
    return at(mirror, f"{NGINX}/blobs/{blob.digest}")


async def test_the_host_form_is_honest(http, store, manifest_url, blob, blob_url):
    assert (await ask(http, "GET", manifest_url)).digest == store.tags["1.27"]
    assert (await ask(http, "GET", blob_url)).body == blob.data
    ranged = await ask(http, "GET", blob_url, headers={"Range": "bytes=5-"})
    assert (ranged.status, ranged.body) == (206, blob.data[5:])


async def test_the_prefix_form_is_honest(http, world, store, blob):
    mirror = await world.add_mirror("https://m.daocloud.io/docker.io")
    assert (await ask(http, "GET", at(mirror, f"docker.io/{NGINX}/manifests/1.27"))).digest == store.tags["1.27"]
    assert (await ask(http, "GET", at(mirror, f"docker.io/{NGINX}/blobs/{blob.digest}"))).body == blob.data
    assert (await ask(http, "GET", at(mirror, f"{NGINX}/manifests/1.27"))).status == 404


async def test_one_prefix_mirror_serves_many_upstreams(http, world):
    quay = await world.add_registry("https://quay.io")
    from_hub = await world.add_mirror("https://m.daocloud.io/docker.io")
    from_quay = await world.add_mirror("https://m.daocloud.io/quay.io", quay.store)
    assert from_hub is from_quay
    assert (await ask(http, "GET", at(from_quay, f"docker.io/{NGINX}/tags/list"))).status == 200


async def test_nothing_can_be_pushed_to_a_mirror(http, mirror):
    assert (await ask(http, "POST", at(mirror, f"{NGINX}/blobs/uploads/"))).status == 405


async def test_7_3_stale_tag(http, world, mirror, store, manifest_url):
    old = store.tags["1.27"]
    mirror.mirror.freeze()
    new = world.hub.put("nginx", "1.27", image("nginx", "1.27 rebuilt"))
    assert (await ask(http, "GET", manifest_url)).headers["Docker-Content-Digest"] == old
    assert (await ask(http, "GET", at(mirror, f"{NGINX}/manifests/{new}"))).digest == new


async def test_7_3_lying_tag(http, world, mirror, manifest_url):
    evil = world.hub.put("nginx", "evil", image("nginx", "evil"))
    mirror.mirror.lie(NGINX, "1.27", evil)
    assert (await ask(http, "GET", manifest_url)).digest == evil


async def test_7_3_missing_tag(http, mirror, manifest_url):
    mirror.mirror.missing.add("1.27")
    assert (await ask(http, "GET", manifest_url)).status == 404


async def test_7_3_missing_child_manifests(http, mirror, store, manifest_url):
    child = store.find("1.27").document.children[1]
    mirror.mirror.missing.add(child)
    assert (await ask(http, "GET", manifest_url)).status == 200
    assert (await ask(http, "GET", at(mirror, f"{NGINX}/manifests/{child}"))).status == 404


async def test_7_3_403_for_all(http, mirror, manifest_url, blob_url):
    mirror.misbehave("forbidden")
    assert [(await ask(http, "GET", url)).status for url in (manifest_url, blob_url)] == [403, 403]


async def test_7_3_html_200(http, mirror, manifest_url):
    mirror.misbehave("html")
    seen = await ask(http, "GET", manifest_url)
    assert (seen.status, seen.headers["Content-Type"][:9], seen.body[:9]) == (200, "text/html", b"<!DOCTYPE")


async def realm_of(http, url: str) -> str:
    refused = await ask(http, "GET", url)
    assert refused.status == 401
    return refused.headers["WWW-Authenticate"].partition('realm="')[2].partition('"')[0]


@pytest.fixture
async def guarded(world):
    """A mirror whose token realm is on another host."""
    return await world.add_mirror("https://m.daocloud.io/docker.io", realm="https://auth.m.daocloud.io")


async def test_7_3_401_with_a_realm_elsewhere_that_works(http, guarded):
    url = at(guarded, f"docker.io/{NGINX}/manifests/1.27")
    realm = await realm_of(http, url)
    assert realm == f"{guarded.auth_server.url}/token"
    issued = await ask(http, "GET", realm, params={"scope": f"repository:docker.io/{NGINX}:pull"})
    bearer = {"Authorization": f"Bearer {json.loads(issued.body)['token']}"}
    assert (await ask(http, "GET", url, headers=bearer)).status == 200


async def test_7_3_401_with_a_realm_elsewhere_that_is_dead(http, guarded):
    realm = await realm_of(http, at(guarded, f"docker.io/{NGINX}/manifests/1.27"))
    await guarded.auth_server.refuse()
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(http, "GET", realm)


async def test_7_3_401_with_a_realm_elsewhere_that_forbids(http, guarded):
    realm = await realm_of(http, at(guarded, f"docker.io/{NGINX}/manifests/1.27"))
    guarded.auth_server.faults.add(Fault(actions.reply(403)))
    assert (await ask(http, "GET", realm)).status == 403


async def test_7_3_tags_list_absent(http, mirror):
    mirror.mirror.lists_tags = False
    assert (await ask(http, "GET", at(mirror, f"{NGINX}/tags/list"))).status == 404


@pytest.mark.parametrize("how", ["wrong bytes", "other blob"])
async def test_7_3_wrong_bytes_with_the_right_header(http, mirror, blob, blob_url, how):
    mirror.misbehave(how)
    seen = await ask(http, "GET", blob_url)
    assert (seen.status, seen.headers["Docker-Content-Digest"]) == (200, blob.digest)
    assert sha256(seen.body) != blob.digest


async def test_7_3_reserialised_manifest(http, mirror, store, manifest_url):
    mirror.misbehave("reserialised")
    seen = await ask(http, "GET", manifest_url)
    assert seen.headers["Docker-Content-Digest"] == store.tags["1.27"] != seen.digest
    assert json.loads(seen.body) == store.find("1.27").document.content


async def test_7_3_hang_after_headers(http, mirror, blob_url):
    mirror.misbehave("hang after headers")
    async with http.get(blob_url) as response:
        assert response.status == 200
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await response.read()


async def test_7_3_no_answer_at_all(http, mirror, blob_url):
    mirror.misbehave("hang")
    with pytest.raises(TimeoutError):
        await ask(http, "GET", blob_url, timeout=SOON)


async def test_7_3_slow_trickle(http, mirror, blob_url):
    mirror.misbehave("trickle")
    async with http.get(blob_url) as response:
        first, second = [await response.content.readany() for _ in range(2)]
    assert 16 <= len(first) + len(second) < 200


async def test_7_3_cut_off(http, mirror, blob_url):
    mirror.misbehave("cut off")
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask(http, "GET", blob_url)


async def test_7_3_transient_blob_404(http, mirror, blob_url):
    fault = mirror.misbehave("not found", times=1)
    assert [(await ask(http, "GET", blob_url)).status for _ in range(2)] == [404, 200]
    assert fault.fired == 1


@pytest.mark.parametrize(("how", "wait"), [("too many", None), ("too many, wait", "1")])
async def test_7_3_429_with_and_without_retry_after(http, mirror, manifest_url, how, wait):
    mirror.misbehave(how)
    seen = await ask(http, "GET", manifest_url)
    assert (seen.status, seen.headers.get("Retry-After")) == (429, wait)


async def test_7_3_redirect_loop(http, mirror, blob_url):
    mirror.misbehave("redirect loop")
    with pytest.raises(aiohttp.TooManyRedirects):
        await http.get(blob_url)


@pytest.mark.parametrize(
    ("how", "where"), [("redirect to http", "http://"), ("redirect to private", "https://169.254.")]
)
async def test_7_3_redirect_to_http_or_to_a_private_address(http, mirror, blob_url, how, where):
    mirror.misbehave(how)
    seen = await ask(http, "GET", blob_url)
    assert seen.status == 302
    assert seen.headers["Location"].startswith(where)


async def test_7_3_received_authorization_is_recorded(http, world, mirror, manifest_url, blob_url):
    await ask(http, "GET", manifest_url, headers=basic("AWS", "canary"))
    await ask(http, "GET", blob_url)
    sent = [entry.authorization for entry in world.log.find(mirror.server.name)]
    assert sent == [basic("AWS", "canary")["Authorization"], None]


async def test_missing_digest_header_and_ignored_range(http, mirror, manifest_url, blob, blob_url):
    mirror.misbehave("no digest")
    mirror.misbehave("ignores range")
    assert "Docker-Content-Digest" not in (await ask(http, "GET", manifest_url)).headers
    seen = await ask(http, "GET", blob_url, headers={"Range": "bytes=5-"})
    assert (seen.status, seen.body) == (200, blob.data)
