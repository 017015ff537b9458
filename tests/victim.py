"""A whole run of syncer, in this process, in front of servers that may be hostile; and the secrets that it keeps."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hostile_registry import NAME

from syncer.app.parts import Outside
from syncer.app.session import Session, Task, session
from syncer.config.load import load_text
from syncer.credentials.static import StaticKeychain
from syncer.engine.stop import Stop
from syncer.registry.surroundings import Deadlines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hostile import Server
    from hostile_registry import HostileRegistry

    from syncer.report.model import Outcome, Report

PASSWORD, REFRESH = "c4nary/pass+word", "c4nary-refresh"
USER = "c4nary-user"
TOKEN = "t0ken-of-the-registry"
PATIENT = Deadlines(lookup=1, connect=3, head=3, stall=2, window=2, floor=1000)
AUTH = {"username": USER, "password": PASSWORD}


def forms(secret: str) -> list[str]:
    """How a secret may be written down: plain, percent-encoded, in hex, reversed, in base64 at any offset."""
    encoded = [base64.b64encode(b"x" * lead + secret.encode()).decode()[4:-4] for lead in range(3)]
    urlsafe = [form.translate(str.maketrans("+/", "-_")) for form in encoded]
    return [secret, quote(secret, safe=""), secret.encode().hex(), secret[::-1], *encoded, *urlsafe]


def leaks(data: bytes | str, secrets: Iterable[str] = (PASSWORD, REFRESH, TOKEN, USER)) -> list[str]:
    """Which secrets stand in `data`, in whatever form."""
    text = data.decode("latin-1") if isinstance(data, bytes) else data
    folded = text.lower()
    return [form for secret in secrets for form in forms(secret) if form in text or form.lower() in folded]


def assert_untouched(thief: Server | HostileRegistry) -> None:
    """Nobody even connected there."""
    server = getattr(thief, "server", thief)
    assert (server.connections, server.received) == (0, b"")


def settings(source: HostileRegistry, target: Any, *, registry: Any = None, known: Any = (), rule: Any = None) -> str:
    """A mirrors.yaml for NAME:1; `known` are more hosts that it names, so that their addresses may be private."""
    others = known if isinstance(known, dict) else {each.netloc: {} for each in known}
    registries = {source.netloc: {"resolve": ["origin"], **(registry or {})}} | others
    return json.dumps(
        {
            "version": 1,
            "registries": registries,
            "targets": {"here": {"registry": target.netloc}},
            "images": [{"source": f"{source.netloc}/{NAME}:1", **(rule or {})}],
        }
    )


async def mirrored(source: HostileRegistry, target: Any, *, retries: int = 0, **more: Any) -> Report:
    """What a sync of the hostile image comes to."""
    wanted = load_text(settings(source, target, **more), "mirrors.yaml", {}, Path("/nonexistent"))
    outside = Outside(environ={}, docker=StaticKeychain({}), deadlines=PATIENT)
    async with session(wanted, outside, Task("sync", retries=retries)) as run:
        return await _done(run)


async def _done(run: Session) -> Report:
    return await run.carry_out(await run.plan(), Stop())


async def outcome(source: HostileRegistry, target: Any, **more: Any) -> Outcome:
    """What became of the one image."""
    (only,) = (await mirrored(source, target, **more)).outcomes
    return only
