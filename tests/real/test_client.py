"""A client at a real docker-registry with TLS and passwords."""

import pytest
from hostile import clients
from servers import docker_registry

from syncer.credentials.keychain import Credential
from syncer.credentials.static import StaticKeychain
from syncer.errors import TlsFailed, Unauthorized
from syncer.oci.names import Origin
from syncer.registry.failures import failure_of
from syncer.registry.http import Access, Request
from syncer.registry.surroundings import Deadlines
from syncer.settings.registries import Endpoint, Tls
from syncer.settings.secret import Secret

USERS = "me:$2b$04$xvVR.ynhywsWT1tagBRdq.N6nt7iJUa11OIUU6iF943Nv3wUNVmaK\n"  # bcrypt of "canary-password"


@pytest.fixture
def guarded(tmp_path):
    """A docker-registry that asks for a password."""
    (tmp_path / "users").write_text(USERS)
    settings = {"auth": {"htpasswd": {"realm": "tests", "path": str(tmp_path / "users")}}}
    with docker_registry(tmp_path / "registry", tls=True, settings=settings) as running:
        yield running


async def opened(registry, password=None, tls=None):
    """The status of an upload session asked for with `password`, three times over one client."""
    origin = Origin.parse(registry.url)
    keychain = StaticKeychain({origin: Credential("me", Secret(password))}) if password else None
    async with clients(deadlines=Deadlines()) as made:
        client = made.client(Endpoint(origin, tls=tls or Tls(ca=registry.ca)), keychain)
        request = Request("POST", origin, "/v2/team/app/blobs/uploads/", access=Access.PUSH)
        for _ in range(3):
            async with client.send(request) as response:
                if response.status != 202:
                    raise await failure_of(response, "team/app")


async def test_a_password_is_asked_for_once_and_then_sent(guarded):
    await opened(guarded, "canary-password")

    posts = [line for line in guarded.requests() if '"POST' in line]
    assert len(posts) == 4
    assert "canary" not in guarded.log.read_text()


@pytest.mark.parametrize("password", [None, "wrong"])
async def test_without_the_password_the_registrys_words_say_so(guarded, password):
    with pytest.raises(Unauthorized, match="answers 401: UNAUTHORIZED"):
        await opened(guarded, password)


async def test_an_unknown_authority_is_not_trusted(guarded):
    with pytest.raises(TlsFailed, match="certificate is not trusted"):
        await opened(guarded, "canary-password", Tls())

    assert guarded.requests() == []
