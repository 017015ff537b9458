"""Every report says whose certificate is not looked at."""

import asyncio

import pytest

from syncer.app.parts import Outside
from syncer.app.session import Task, session
from syncer.config.load import load_text
from syncer.credentials.static import StaticKeychain

FILE = """
version: 1
registries:
  careful.example: {{}}
  hub.example:
    tls: {origin}
    mirrors: [{{url: "https://mirror.example", tls: {mirror}}}]
targets: {{there: {{registry: target.example}}}}
images: [{{source: hub.example/app, tags: ["1"], target: app}}]
"""


@pytest.mark.parametrize(
    ("origin", "mirror", "named"),
    [
        ("{}", "{}", []),
        ("{verify: false}", "{}", ["hub.example"]),
        ("{verify: false}", "{verify: false}", ["hub.example", "mirror.example"]),
    ],
)
def test_a_host_whose_certificate_is_not_looked_at_is_warned_of(tmp_path, origin, mirror, named):
    settings = load_text(FILE.format(origin=origin, mirror=mirror), "mirrors.yaml", {}, tmp_path)

    async def report():
        async with session(settings, Outside(environ={}, docker=StaticKeychain({})), Task("sync")) as run:
            return run.report(())

    assert [text.partition(":")[0] for text in asyncio.run(report()).warnings] == named
