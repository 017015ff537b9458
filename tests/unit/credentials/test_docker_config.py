"""docker's config.json and credential helpers."""

import base64
import json
import os
import stat

import pytest

from syncer.credentials.docker_config import DockerConfigKeychain
from syncer.errors import HelperFailed
from syncer.oci.origin import Origin

HUB = Origin.parse("https://registry-1.docker.io")
PRIVATE = Origin.parse("https://registry.example.com:5000")


def written(tmp_path, **content):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(content))
    return DockerConfigKeychain(path)


def basic(text):
    return {"auth": base64.b64encode(text.encode()).decode()}


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """Puts docker-credential-test on PATH; its body is a shell script that finds the host on stdin."""

    def put(body):
        path = tmp_path / "docker-credential-test"
        path.write_text(f"#!/bin/sh\nread host\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return put


async def test_a_password_may_hold_colons(tmp_path):
    keychain = written(tmp_path, auths={"registry.example.com:5000": basic("me:a:b")})
    found = await keychain.credential(PRIVATE)
    assert (found.username, found.password.reveal()) == ("me", "a:b")


async def test_docker_hub_is_kept_under_its_old_index_name(tmp_path):
    keychain = written(tmp_path, auths={"https://index.docker.io/v1/": basic("me:pat")})
    assert (await keychain.credential(HUB)).username == "me"


async def test_another_port_of_the_same_host_gets_nothing(tmp_path):
    keychain = written(tmp_path, auths={"registry.example.com:5000": basic("me:pw")})
    assert await keychain.credential(Origin.parse("https://registry.example.com:5001")) is None


async def test_a_longer_host_with_the_same_beginning_gets_nothing(tmp_path):
    keychain = written(tmp_path, auths={"registry.example.com": basic("me:pw")})
    assert await keychain.credential(Origin.parse("https://registry.example.com.evil.net")) is None


async def test_a_file_without_logins_makes_us_anonymous(tmp_path):
    assert await written(tmp_path, credHelpers={}).credential(HUB) is None


async def test_a_helper_is_asked_for_its_host(tmp_path, helper):
    helper("""echo "{\\"Username\\": \\"helped\\", \\"Secret\\": \\"$host\\"}" """)
    keychain = written(tmp_path, credHelpers={"registry.example.com:5000": "test"})
    found = await keychain.credential(PRIVATE)
    assert (found.username, found.password.reveal()) == ("helped", "registry.example.com:5000")


async def test_a_refresh_token_is_not_taken_for_a_password(tmp_path, helper):
    helper("""echo '{"Username": "<token>", "Secret": "refresh"}'""")
    found = await written(tmp_path, credsStore="test").credential(PRIVATE)
    assert found.refresh_token.reveal() == "refresh"


async def test_a_missing_helper_is_named(tmp_path):
    keychain = written(tmp_path, credsStore="gone")
    with pytest.raises(HelperFailed, match="docker-credential-gone") as caught:
        await keychain.credential(PRIVATE)
    assert caught.value.host == "registry.example.com:5000"


async def test_a_renewed_credential_is_asked_for_anew(tmp_path, helper):
    helper("""date +%N | sed 's/.*/{"Username": "u", "Secret": "&"}/'""")
    keychain = written(tmp_path, credsStore="test")
    first = await keychain.credential(PRIVATE)
    assert await keychain.renew(PRIVATE) != first


async def test_what_cannot_be_renewed_is_none(tmp_path):
    keychain = written(tmp_path, auths={"registry.example.com:5000": basic("me:pw")})
    await keychain.credential(PRIVATE)
    assert await keychain.renew(PRIVATE) is None
