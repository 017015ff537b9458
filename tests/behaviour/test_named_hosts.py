"""`upload_hosts` and `token_realms`: a registry may send us only where the file says, and little goes there."""

import json
import ssl

import pytest
import trustme
from builders import blob
from hostile import clients, reply, serving

from syncer.content.memory import Bytes
from syncer.content.places import Landed
from syncer.credentials.keychain import Credential
from syncer.credentials.static import StaticKeychain
from syncer.errors import RealmRefused, RedirectRefused
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import Origin
from syncer.registry.plain import PlainRegistry
from syncer.settings.registries import Endpoint, Tls
from syncer.settings.secret import Secret

CANARY = "canary-password"
DATA = blob("layer", 5000)
LAYER = Descriptor("application/octet-stream", Digest.of(DATA), len(DATA))


def registry_that_stores(elsewhere):
    """Asks for a password, and has blobs sent to `elsewhere`."""

    def answer(asked):
        if "authorization" not in asked.headers:
            return reply(401, WWW_Authenticate='Basic realm="r"')
        if asked.method == "POST":
            return reply(202, Location=f"{elsewhere.origin}/store?sig=a%2Fb")
        return reply(404)

    return answer


def target(made, origin: Origin, **named):
    endpoint = Endpoint(origin, **named)
    keychain = StaticKeychain({origin: Credential("joe", Secret(CANARY))})
    client = made.client(endpoint, keychain)
    registry = PlainRegistry(endpoint.name, endpoint, client, made.hosts.of(endpoint.name))
    return registry.target(RepositoryName("app"))


async def test_a_named_upload_host_gets_the_bytes_and_no_credential():
    async with serving(reply(201)) as storage, clients() as made, serving(registry_that_stores(storage)) as server:
        landed = await target(made, server.origin, upload_hosts=(storage.origin,)).put_blob(LAYER, Bytes(DATA))

    (asked,) = storage.asked
    assert landed is Landed.UPLOADED
    assert asked.body == DATA
    assert asked.target.startswith("/store?sig=a%2Fb&digest=sha256%3A")  # as it was signed
    assert "authorization" not in asked.headers
    assert any("authorization" in each.headers for each in server.asked)


@pytest.mark.parametrize("named", ["nothing", "another port", "another host"])
async def test_any_other_upload_host_gets_no_connection(named):
    async with serving(reply(201)) as thief, clients() as made:
        others = {
            "nothing": (),
            "another port": (Origin(thief.origin.scheme, thief.origin.host, thief.origin.port ^ 1),),
            "another host": (Origin(thief.origin.scheme, "localhost", thief.origin.port),),
        }
        async with serving(registry_that_stores(thief)) as server:
            with pytest.raises(RedirectRefused, match="sends an upload") as met:
                await target(made, server.origin, upload_hosts=others[named]).put_blob(LAYER, Bytes(DATA))

    assert (thief.connections, thief.received) == (0, b"")
    assert "upload_hosts" in met.value.hint
    assert "sig=" not in met.value.message


async def test_an_https_registry_cannot_have_blobs_sent_by_http_though_the_file_names_it(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = _server_context(authority)
    named = {"tls": Tls(ca=tmp_path / "ca.pem")}
    async with (
        serving(reply(201)) as thief,
        clients() as made,
        serving(registry_that_stores(thief), context) as server,
    ):
        app = target(made, server.origin, upload_hosts=(thief.origin,), **named)
        with pytest.raises(RedirectRefused, match="sends an upload"):
            await app.put_blob(LAYER, Bytes(DATA))

    assert thief.connections == 0


def _server_context(authority):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("named", [True, False])
async def test_a_realm_elsewhere_gets_the_password_only_where_the_file_names_it(named):
    def service(_asked):
        return reply(200, json.dumps({"token": "t0ken"}).encode())

    async with serving(service) as realm, clients() as made:

        def answer(asked):
            if asked.headers.get("authorization") == "Bearer t0ken":
                return reply(404)
            return reply(401, WWW_Authenticate=f'Bearer realm="{realm.origin}/token",service="s"')

        async with serving(answer) as server:
            app = target(made, server.origin, token_realms=(realm.origin,) if named else ())
            if named:
                assert await app.current([Tag("1")]) == {}
            else:
                with pytest.raises(RealmRefused) as met:
                    await app.current([Tag("1")])
                assert "token_realms" in met.value.hint

    assert len(realm.asked) == int(named)
    assert any("authorization" in asked.headers for asked in realm.asked) is named
