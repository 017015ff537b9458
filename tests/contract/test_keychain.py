"""What every Keychain promises: an answer for exactly one origin, and nothing of it in print."""

import base64
import json

import pytest

from syncer.clock import SystemClock
from syncer.credentials.docker_config import DockerConfigKeychain
from syncer.credentials.keychain import Credential
from syncer.credentials.static import FirstOf, StaticKeychain
from syncer.ecr.api import Api
from syncer.ecr.keychain import EcrKeychain
from syncer.ecr.pace import Pace
from syncer.ecr.session import AwsAccess, AwsKeys, ecr_client
from syncer.oci.origin import Origin
from syncer.sandbox.ecr.server import EcrRegion
from syncer.settings.ecr_hosts import parse_host
from syncer.settings.secret import Secret

HOST = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
HERE = Origin.parse(f"https://{HOST}")
ELSEWHERE = [f"https://{HOST}:8443", f"https://{HOST}.evil.example", "https://amazonaws.com.cn"]
CANARY = "canary-password"


def static(_tmp_path):
    return StaticKeychain({HERE: Credential("me", Secret(CANARY))})


def first_of(tmp_path):
    return FirstOf(StaticKeychain({}), static(tmp_path))


def docker_config(tmp_path):
    entry = {"auth": base64.b64encode(f"me:{CANARY}".encode()).decode()}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {HOST: entry}}), "utf-8")
    return DockerConfigKeychain(tmp_path / "config.json")


@pytest.fixture(params=[static, first_of, docker_config, "ecr"], ids=lambda made: getattr(made, "__name__", made))
async def keychain(request, tmp_path):
    if request.param != "ecr":
        yield request.param(tmp_path)
        return
    async with EcrRegion("cn-north-1") as region:
        host = parse_host(HOST)
        access = AwsAccess(keys=AwsKeys("AKIACHINA", Secret("secret")), endpoints=region.dial)
        yield EcrKeychain(Api(lambda: ecr_client(host, access), host.account, HOST, Pace()), HERE, SystemClock())


async def test_it_answers_for_its_origin(keychain):
    found = await keychain.credential(HERE)

    assert found.username
    assert found.password.reveal()


@pytest.mark.parametrize("other", ELSEWHERE)
async def test_it_is_silent_about_every_other_origin(keychain, other):
    assert await keychain.credential(Origin.parse(other)) is None
    assert await keychain.renew(Origin.parse(other)) is None


async def test_it_gives_the_same_answer_twice(keychain):
    assert await keychain.credential(HERE) == await keychain.credential(HERE)


async def test_what_it_renews_is_never_what_was_refused(keychain):
    refused = await keychain.credential(HERE)

    assert await keychain.renew(HERE) != refused


async def test_nothing_of_a_password_is_printed(keychain):
    found = await keychain.credential(HERE)

    assert found.password.reveal() not in f"{found} {found!r} {[found]} {keychain!r}"
