"""What the plain registry does beyond what docker-registry agrees to, and its realms."""

from __future__ import annotations

import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rawhttp import ask, basic, push_blob, put_upload, sha256

from syncer.sandbox import documents
from syncer.sandbox.answers import answer
from syncer.sandbox.server import Server

LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
FIELDS = ("config", "layers", "manifests", "subject", "mediaType", "fsLayers", "digest", "urls")


@pytest.fixture
async def plain(world):
    return await world.add_registry("https://registry.example.test")


@pytest.fixture
def base(plain) -> str:
    return plain.server.url


@given(st.sampled_from(sorted(documents.KNOWN)), JSON | st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_document_is_read_or_refused(media_type, content):
    with contextlib.suppress(ValueError):
        assert documents.read(json.dumps(content).encode(), media_type).media_type == media_type


async def test_a_chunk_at_the_wrong_place_is_refused_and_the_session_lives(http, base):
    opened = await ask(http, "POST", f"{base}/v2/app/blobs/uploads/")
    first = await ask(http, "PATCH", opened.headers["Location"], data=b"01234", headers={"Content-Range": "0-4"})
    wrong = await ask(http, "PATCH", first.headers["Location"], data=b"9", headers={"Content-Range": "9-9"})
    assert (wrong.status, wrong.headers["Range"]) == (416, "0-4")
    assert (await put_upload(http, first, sha256(b"0123456789"), b"56789")).status == 201


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
async def test_a_session_that_is_not_there_is_unknown(http, base, method):
    seen = await ask(http, method, f"{base}/v2/app/blobs/uploads/none?digest={sha256(b'')}")
    assert (seen.status, json.loads(seen.body)["errors"][0]["code"]) == (404, "BLOB_UPLOAD_UNKNOWN")


async def test_names_follow_the_grammar(http, base):
    assert (await ask(http, "POST", f"{base}/v2/UPPER/blobs/uploads/")).status == 400
    assert (await ask(http, "PUT", f"{base}/v2/app/manifests/-tag", data=b"{}")).status == 400


async def test_a_manifest_has_four_mebibytes_at_most(http, base):
    large = io.BytesIO(bytes(4 * 1024 * 1024 + 1))
    assert (await ask(http, "PUT", f"{base}/v2/app/manifests/v1", data=large)).status == 400


async def test_a_blob_can_be_taken_away(http, base):
    await push_blob(http, base, "app", b"data")
    url = f"{base}/v2/app/blobs/{sha256(b'data')}"
    assert [(await ask(http, "DELETE", url)).status for _ in range(2)] == [202, 404]
    assert (await ask(http, "GET", url)).status == 404


async def test_a_range_that_cannot_be_read_is_ignored(http, base):
    await push_blob(http, base, "app", b"0123456789")
    for wanted in ("lines=1-2", "bytes=1-2,4-5", "bytes=x-", "bytes=-"):
        seen = await ask(http, "GET", f"{base}/v2/app/blobs/{sha256(b'0123456789')}", headers={"Range": wanted})
        assert (seen.status, seen.body) == (200, b"0123456789")


async def test_referrers_can_be_filtered_by_type(http, base, plain):
    from_nobody = f"{base}/v2/app/referrers/{sha256(b'nobody')}?artifactType=application/x"
    plain.store.create("app")
    seen = await ask(http, "GET", from_nobody)
    assert (json.loads(seen.body)["manifests"], seen.headers["OCI-Filters-Applied"]) == ([], "artifactType")
    assert seen.headers["Content-Type"] == documents.OCI_INDEX


async def test_a_realm_on_another_server(http, world, plain):
    auth = plain.ask_for_tokens_of({"alice": "secret"})
    await world.add(auth)
    challenge = (await ask(http, "GET", f"{plain.server.url}/v2/")).headers["WWW-Authenticate"]
    assert f'realm="{auth.url}/token"' in challenge
    assert (await ask(http, "GET", f"{auth.url}/token", headers=basic("alice", "secret"))).status == 200
    assert (await ask(http, "GET", f"{auth.url}/elsewhere")).status == 404


@pytest.mark.parametrize("credential", ["Basic ", "Basic !!!", "Basic /w==", "Bearer x"])
async def test_a_realm_refuses_what_is_no_credential(http, base, plain, credential):
    plain.ask_for_tokens({"alice": "secret"})
    seen = await ask(http, "GET", f"{base}/token", headers={"Authorization": credential})
    assert seen.status == 401


async def test_a_realm_may_not_say_how_long_a_token_lives(http, base, plain, clock):
    plain.ask_for_tokens({})
    plain.realm.life = None
    issued = json.loads((await ask(http, "GET", f"{base}/token")).body)
    bearer = {"Authorization": f"Bearer {issued['token']}"}
    assert "expires_in" not in issued
    assert (await ask(http, "GET", f"{base}/v2/", headers=bearer)).status == 200
    clock.advance(60)
    assert (
        'error="invalid_token"' in (await ask(http, "GET", f"{base}/v2/", headers=bearer)).headers["WWW-Authenticate"]
    )


async def test_tokens_can_be_let_expire(http, base, plain):
    plain.ask_for_tokens({})
    issued = json.loads((await ask(http, "GET", f"{base}/token")).body)
    plain.realm.expire()
    bearer = {"Authorization": f"Bearer {issued['token']}"}
    assert (await ask(http, "GET", f"{base}/v2/", headers=bearer)).status == 401


async def test_a_password_buys_a_token_by_post_too(http, base, plain):
    plain.ask_for_tokens({"alice": "secret"})
    form = {"grant_type": "password", "username": "alice", "password": "secret", "scope": "repository:app:pull"}
    issued = json.loads((await ask(http, "POST", f"{base}/token", data=form)).body)
    assert plain.realm.refresh_tokens == {issued["refresh_token"]: "alice"}
    assert (await ask(http, "POST", f"{base}/token", data={**form, "password": "wrong"})).status == 401


async def test_a_server_stops_and_starts_only_once(http):
    async def hello(_request, url):
        return answer(200, url.encode())

    server = Server("hello", hello)
    await server.refuse()
    await server.start()
    await server.resume()
    assert (await ask(http, "GET", f"{server.url}/")).body == server.address.encode()
    await server.refuse()
    await server.refuse()
    await server.stop()
