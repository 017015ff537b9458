"""The docker-registry that tests start: its TLS, its log, its files."""

from __future__ import annotations

import aiohttp
import pytest
import servers
from rawhttp import ask, push_blob, sha256


@pytest.fixture
def real(tmp_path):
    with servers.docker_registry(tmp_path) as running:
        yield running


async def test_it_speaks_tls_with_an_authority_of_its_own(http, tmp_path):
    with servers.docker_registry(tmp_path, tls=True) as running:
        assert (await ask(http, "GET", f"{running.url}/v2/", ssl=servers.trusting(running.ca))).status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await ask(http, "GET", f"{running.url}/v2/")


async def test_its_log_has_a_line_per_request(http, real):
    await push_blob(http, real.url, "app", b"data")
    assert [line.split('"')[1].split()[0] for line in real.requests()] == ["POST", "PUT"]


async def test_a_blob_is_a_file(http, real):
    await push_blob(http, real.url, "app", b"data")
    assert real.blob_path(sha256(b"data")).read_bytes() == b"data"


async def test_settings_replace_its_configuration(http, tmp_path):
    readonly = {"filesystem": {"rootdirectory": str(tmp_path)}, "maintenance": {"readonly": {"enabled": True}}}
    with servers.docker_registry(tmp_path, settings={"storage": readonly}) as running:
        assert (await push_readonly(http, running)).status == 405


async def push_readonly(http, running):
    return await ask(http, "POST", f"{running.url}/v2/app/blobs/uploads/")


def test_two_at_once_have_different_addresses(real, tmp_path):
    with servers.docker_registry(tmp_path / "second") as second:
        assert second.url != real.url
