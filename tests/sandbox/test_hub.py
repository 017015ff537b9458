"""The fidelity list of a fake Docker Hub (7.2), each item under its number."""

from __future__ import annotations

import json
from dataclasses import dataclass

import aiohttp
import pytest
from rawhttp import ACCEPT, Seen, ask, basic, sha256

from syncer.sandbox import actions, gallery
from syncer.sandbox.documents import DOCKER_MANIFEST, OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, SCHEMA1_SIGNED
from syncer.sandbox.faults import Fault
from syncer.sandbox.images import image

NGINX = "library/nginx"


@dataclass
class Puller:
    """Somebody with a token for one repository of the world's Docker Hub."""

    http: aiohttp.ClientSession
    base: str
    token: str

    async def get(self, path: str, method: str = "GET", **headers: str) -> Seen:
        sent = {
            "Authorization": f"Bearer {self.token}",
            **{key.replace("_", "-"): text for key, text in headers.items()},
        }
        return await ask(self.http, method, f"{self.base}/v2/{path}", headers=sent)


async def token(http, world, name=NGINX, auth=None, can="pull") -> Seen:
    query = {"service": "registry.docker.io", "scope": f"repository:{name}:{can}"}
    return await ask(http, "GET", f"{world.hub.auth_server.url}/token", params=query, headers=auth or {})


async def puller(http, world, name=NGINX, auth=None) -> Puller:
    issued = json.loads((await token(http, world, name, auth)).body)
    return Puller(http, world.hub.server.url, issued["token"])


@pytest.fixture
async def anyone(http, world) -> Puller:
    return await puller(http, world)


def code(seen: Seen) -> str:
    return json.loads(seen.body)["errors"][0]["code"]


async def test_7_2_01_the_challenge_names_a_realm_on_another_host(http, world):
    seen = await ask(http, "GET", f"{world.hub.server.url}/v2/{NGINX}/manifests/1.27")
    assert seen.status == 401
    realm = f"{world.hub.auth_server.url}/token"
    expected = f'Bearer realm="{realm}",service="registry.docker.io",scope="repository:{NGINX}:pull"'
    assert seen.headers["WWW-Authenticate"] == expected
    assert world.hub.auth_server.url != world.hub.server.url


async def test_7_2_01_tokens_live_300_seconds(http, world, clock):
    issued = json.loads((await token(http, world)).body)
    assert (issued["expires_in"], issued["token"]) == (300, issued["access_token"])
    holder = Puller(http, world.hub.server.url, issued["token"])
    clock.advance(299)
    assert (await holder.get(f"{NGINX}/manifests/1.27")).status == 200
    clock.advance(1)
    assert (await holder.get(f"{NGINX}/manifests/1.27")).status == 401


async def test_7_2_01_a_token_is_good_for_its_own_repository_only(world, anyone):
    world.hub.put("redis", "7", image("redis", "7"))
    seen = await anyone.get("library/redis/manifests/7")
    assert seen.status == 401
    assert 'error="insufficient_scope"' in seen.headers["WWW-Authenticate"]


async def test_7_2_01_names_are_not_completed_with_library(http, world):
    assert (await (await puller(http, world, "nginx")).get("nginx/manifests/1.27")).status == 401


@pytest.mark.parametrize("name", ["library/no-such", "corp/secret"])
async def test_7_2_01_missing_and_private_get_a_token_but_no_scope(http, world, name):
    world.hub.put("corp/secret", "1", image("secret", "1"))
    world.hub.private["corp/secret"] = {"alice"}
    assert (await token(http, world, name)).status == 200
    seen = await (await puller(http, world, name)).get(f"{name}/manifests/1")
    assert (seen.status, code(seen)) == (401, "UNAUTHORIZED")
    assert 'error="insufficient_scope"' in seen.headers["WWW-Authenticate"]


async def test_7_2_01_its_owner_pulls_a_private_repository(http, world):
    world.hub.put("corp/secret", "1", image("secret", "1"))
    world.hub.private["corp/secret"] = {"alice"}
    world.hub.users["alice"] = "dckr_pat_1"
    alice = await puller(http, world, "corp/secret", basic("alice", "dckr_pat_1"))
    assert (await alice.get("corp/secret/manifests/1")).status == 200


async def test_7_2_01_a_wrong_password_gets_no_token(http, world):
    world.hub.users["alice"] = "dckr_pat_1"
    assert (await token(http, world, auth=basic("alice", "guess"))).status == 401


async def test_7_2_01_a_refresh_token_is_a_password_too(http, world):
    form = {
        "grant_type": "refresh_token",
        "refresh_token": world.hub.realm.refresh_token("alice"),
        "service": "registry.docker.io",
        "scope": f"repository:{NGINX}:pull",
    }
    issued = json.loads((await ask(http, "POST", f"{world.hub.auth_server.url}/token", data=form)).body)
    holder = Puller(http, world.hub.server.url, issued["access_token"])
    assert (await holder.get(f"{NGINX}/manifests/1.27")).headers["docker-ratelimit-source"] == "alice"


async def test_7_2_01_push_is_not_granted(http, world):
    await token(http, world, can="pull,push")
    (grant,) = world.hub.realm.grants.values()
    assert grant.access == {NGINX: {"pull"}}


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_7_2_01_the_token_service_itself_can_fail(http, world, status):
    world.hub.auth_server.faults.add(Fault(actions.reply(status), times=1))
    assert (await token(http, world)).status == status
    assert (await token(http, world)).status == 200


async def test_7_2_02_only_get_of_a_manifest_counts(world, anyone):
    for _ in range(3):
        await anyone.get(f"{NGINX}/manifests/1.27", "HEAD")
    await anyone.get(f"{NGINX}/tags/list")
    await anyone.get(f"{NGINX}/blobs/{next(iter(world.hub.store[NGINX].blobs))}")
    await anyone.get(f"{NGINX}/manifests/none")
    seen = await anyone.get(f"{NGINX}/manifests/1.27")
    assert (seen.headers["ratelimit-limit"], seen.headers["ratelimit-remaining"]) == ("100;w=21600", "99;w=21600")


async def test_7_2_02_head_tells_the_budget(world, anyone):
    world.hub.budget.limit, world.hub.budget.window = 200, 3600
    seen = await anyone.get(f"{NGINX}/manifests/1.27", "HEAD")
    assert seen.headers["ratelimit-remaining"] == "200;w=3600"
    assert seen.headers["docker-ratelimit-source"] == "127.0.0.1"


async def test_7_2_02_the_budget_is_per_account_and_absent_for_paid(http, world, anyone):
    world.hub.users |= {"free": "x", "rich": "x"}
    world.hub.paid.add("rich")
    await anyone.get(f"{NGINX}/manifests/1.27")
    free = await (await puller(http, world, auth=basic("free", "x"))).get(f"{NGINX}/manifests/1.27")
    rich = await (await puller(http, world, auth=basic("rich", "x"))).get(f"{NGINX}/manifests/1.27")
    assert (free.headers["docker-ratelimit-source"], free.headers["ratelimit-remaining"]) == ("free", "99;w=21600")
    assert "ratelimit-limit" not in rich.headers


async def test_7_2_02_the_budget_comes_back_with_the_window(world, clock, anyone):
    world.hub.budget.limit, world.hub.budget.window = 1, 60
    assert (await anyone.get(f"{NGINX}/manifests/1.27")).status == 200
    assert (await anyone.get(f"{NGINX}/manifests/1.27")).status == 429
    assert (await anyone.get(f"{NGINX}/manifests/1.27", "HEAD")).status == 200
    clock.advance(61)
    assert (await anyone.get(f"{NGINX}/manifests/1.27")).status == 200


async def test_7_2_03_three_forms_of_429(world, anyone):
    world.hub.budget.limit = 0
    pull = await anyone.get(f"{NGINX}/manifests/1.27")
    world.hub.server.faults.add(Fault(actions.hub_abuse(), times=1))
    abuse = await anyone.get(f"{NGINX}/manifests/1.27")
    world.hub.server.faults.add(Fault(actions.reply(429), times=1))
    bare = await anyone.get(f"{NGINX}/manifests/1.27")
    assert (pull.status, code(pull), pull.headers.get("Retry-After")) == (429, "TOOMANYREQUESTS", None)
    assert (abuse.status, abuse.headers["Retry-After"]) == (429, "60")
    assert abuse.headers["Content-Type"].startswith("text/plain")
    assert b"HAP429" in abuse.body
    assert (bare.status, bare.body) == (429, b"")


async def test_7_2_04_who_does_not_accept_an_index_gets_the_amd64_manifest(anyone):
    whole = await anyone.get(f"{NGINX}/manifests/1.27")
    part = await anyone.get(f"{NGINX}/manifests/1.27", Accept=f"{OCI_MANIFEST}, {DOCKER_MANIFEST}")
    (amd64,) = (m for m in json.loads(whole.body)["manifests"] if m["platform"]["architecture"] == "amd64")
    assert (whole.headers["Content-Type"], part.headers["Content-Type"]) == (OCI_INDEX, OCI_MANIFEST)
    assert part.headers["Docker-Content-Digest"] == part.digest == amd64["digest"] != whole.digest
    assert part.headers["etag"] == f'"{part.digest}"'


async def cdn_url(world, anyone) -> tuple[str, bytes]:
    digest, blob = max(world.hub.store[NGINX].blobs.items(), key=lambda item: item[1].size)
    seen = await anyone.get(f"{NGINX}/blobs/{digest}")
    assert seen.status == 307
    return seen.headers["Location"], blob.data


async def test_7_2_05_blobs_are_at_a_cdn_that_rejects_authorization(http, world, anyone):
    url, data = await cdn_url(world, anyone)
    assert url.startswith(world.hub.cdn_server.url)
    assert (await ask(http, "GET", url)).body == data
    assert (await ask(http, "GET", url, headers={"Authorization": "Bearer x"})).status == 400


async def test_7_2_05_the_cdn_serves_ranges(http, world, anyone):
    url, data = await cdn_url(world, anyone)
    seen = await ask(http, "GET", url, headers={"Range": "bytes=10-19"})
    assert (seen.status, seen.body, seen.headers["Content-Range"]) == (206, data[10:20], f"bytes 10-19/{len(data)}")
    rest = await ask(http, "GET", url, headers={"Range": "bytes=40000-"})
    assert (rest.status, rest.body) == (206, data[40000:])
    beyond = await ask(http, "GET", url, headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(data)}")


async def test_7_2_05_a_signed_url_expires_and_is_good_for_one_blob(http, world, clock, anyone):
    url, _ = await cdn_url(world, anyone)
    assert (await ask(http, "GET", url.replace("/data", "0/data"))).status == 403
    clock.advance(world.hub.cdn.life)
    seen = await ask(http, "GET", url)
    assert (seen.status, b"Request has expired" in seen.body) == (403, True)


async def test_7_2_05_a_blob_can_be_cut_corrupted_or_slow(http, world, anyone):
    url, data = await cdn_url(world, anyone)
    faults = world.hub.cdn_server.faults
    faults.add(Fault(actions.cut(1000), times=1))
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask(http, "GET", url)
    faults.add(Fault(actions.flip(2000), times=1))
    assert sha256((await ask(http, "GET", url)).body) != sha256(data)
    slow = faults.add(Fault(actions.trickle(8, 0.05), times=1))
    with pytest.raises(TimeoutError):
        await ask(http, "GET", url, timeout=aiohttp.ClientTimeout(total=0.3))
    assert slow.fired == 1


async def test_7_2_06_a_tag_moves_between_head_and_get(world, anyone):
    def move() -> None:
        world.hub.put("nginx", "1.27", image("nginx", "1.27 rebuilt"))

    world.hub.server.faults.add(Fault(actions.then(move), method="HEAD", path="manifests/1.27", times=1))
    before = await anyone.get(f"{NGINX}/manifests/1.27", "HEAD")
    after = await anyone.get(f"{NGINX}/manifests/1.27")
    old = before.headers["Docker-Content-Digest"]
    assert after.digest != old
    assert (await anyone.get(f"{NGINX}/manifests/{old}")).digest == old


async def test_7_2_06_a_missing_tag_is_unknown_with_its_name(anyone):
    seen = await anyone.get(f"{NGINX}/manifests/9.99")
    assert (seen.status, json.loads(seen.body)["errors"][0]["detail"]) == (404, {"Tag": "9.99"})
    assert code(seen) == "MANIFEST_UNKNOWN"


async def test_7_2_06_bursts_of_5xx_and_resets(world, anyone):
    world.hub.server.faults.add(Fault(actions.html(503), times=2))
    world.hub.server.faults.add(Fault(actions.reset(), times=1))
    assert [(await anyone.get(f"{NGINX}/tags/list")).status for _ in range(2)] == [503, 503]
    with pytest.raises(aiohttp.ClientOSError):
        await anyone.get(f"{NGINX}/tags/list")
    assert (await anyone.get(f"{NGINX}/tags/list")).status == 200


async def test_7_2_07_tags_without_n_are_all_and_with_n_paged(world, anyone):
    for number in range(250):
        world.hub.store[NGINX].tags[f"1.{number:03}"] = world.hub.store[NGINX].tags["1.27"]
    everything = json.loads((await anyone.get(f"{NGINX}/tags/list")).body)["tags"]
    found, path = [], f"{NGINX}/tags/list?n=100"
    while path:
        seen = await anyone.get(path)
        found += json.loads(seen.body)["tags"]
        link = seen.headers.get("Link", "")
        assert not link or link.startswith(f"</v2/{NGINX}/tags/list?")
        path = link.partition(">")[0][len("</v2/") :]
    assert found == everything
    assert len(found) == 251


async def hub_tags(http, world, query: str = "") -> list[dict]:
    url = f"{world.hub.api_server.url}/v2/namespaces/library/repositories/nginx/tags{query}"
    return json.loads((await ask(http, "GET", url)).body)


async def test_7_2_07_the_hub_api_pages_by_at_most_100(http, world):
    for number in range(150):
        world.hub.store[NGINX].tags[f"1.{number:03}"] = world.hub.store[NGINX].tags["1.27"]
    first = await hub_tags(http, world, "?page_size=1000")
    second = json.loads((await ask(http, "GET", first["next"])).body)
    assert (first["count"], len(first["results"]), len(second["results"]), second["next"]) == (151, 100, 51, None)
    assert first["results"][0]["images"][0]["architecture"] == "amd64"


async def test_7_2_07_the_hub_api_lags(http, world):
    world.hub.api.freeze()
    old = world.hub.store[NGINX].tags["1.27"]
    new = world.hub.put("nginx", "1.27", image("nginx", "1.27 rebuilt"))
    assert [row["digest"] for row in (await hub_tags(http, world))["results"]] == [old]
    world.hub.api.thaw()
    assert [row["digest"] for row in (await hub_tags(http, world))["results"]] == [new]


@pytest.mark.parametrize("kind", gallery.ODDITIES)
async def test_7_2_08_oddities_are_served_as_they_are(http, world, kind):
    odd = gallery.ODDITIES[kind]()
    world.hub.put("odd", kind, odd)
    holder = await puller(http, world, "library/odd")
    seen = await holder.get(f"library/odd/manifests/{kind}", Accept=f"{ACCEPT}, {SCHEMA1_SIGNED}")
    assert (seen.body, seen.headers["Content-Type"]) == (odd.raw, odd.media_type)


def test_7_2_08_attestations_are_children_of_no_platform():
    children = json.loads(gallery.attested().raw)["manifests"]
    assert [child["platform"]["os"] for child in children] == ["linux", "unknown", "linux", "unknown"]
    about = children[1]["annotations"]
    assert about["vnd.docker.reference.type"] == "attestation-manifest"
    assert about["vnd.docker.reference.digest"] == children[0]["digest"]


def test_7_2_08_an_artifact_has_an_empty_config_and_a_subject():
    subject = image("nginx", "1")
    document = json.loads(gallery.artifact(subject).raw)
    assert (document["config"]["mediaType"], document["config"]["size"]) == (OCI_EMPTY, 2)
    assert document["subject"]["digest"] == subject.digest


def test_7_2_08_layers_may_be_foreign_repeated_empty_or_sixty():
    def layers(made) -> list[dict]:
        return json.loads(made.raw)["layers"]

    assert layers(gallery.foreign())[0]["urls"]
    assert len({item["digest"] for item in layers(gallery.repeated())}) == 2
    assert layers(gallery.empty_layer())[1]["size"] == 0
    assert len(layers(gallery.tall())) == 60
    assert json.loads(gallery.nested().raw)["manifests"][1]["mediaType"] == OCI_INDEX


async def test_delete_is_not_supported(http, world):
    world.hub.realm.policy = lambda _account, _name: frozenset({"delete"})
    issued = json.loads((await token(http, world, can="delete")).body)
    holder = Puller(http, world.hub.server.url, issued["token"])
    digest = world.hub.store[NGINX].tags["1.27"]
    assert (await holder.get(f"{NGINX}/manifests/{digest}", "DELETE")).status == 405
