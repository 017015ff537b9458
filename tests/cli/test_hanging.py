"""Registries that answer nothing, or a byte at a time, wherever a run waits for them: it ends all the same."""

from __future__ import annotations

import json
import time

import pytest

from syncer.sandbox import actions
from syncer.sandbox.faults import Fault

SHORT = {"connect": "1s", "headers": "1s", "stall": "1s", "window": "1s", "floor": "1k"}
SILENT = {  # repository → at whom, of what; who is silent at first contact is asked no more: tests/real/test_silence.py
    "manifest": ("origin", "GET", "/manifest/manifests/"),
    "layer": ("origin", "GET", "/layer/blobs/"),
    "session": ("target", "POST", "/session/blobs/"),
    "upload": ("target", "PUT|PATCH", "/upload/blobs/"),
    "tag": ("target", "PUT", "/tag/manifests/"),
}
TRICKLING = {"manifest": ("origin", "GET", "/manifest/manifests/"), "layer": ("origin", "GET", "/layer/blobs/")}


@pytest.mark.parametrize(
    ("does", "where"), [(actions.hang(), SILENT), (actions.trickle(1, 0.2), TRICKLING)], ids=["silent", "trickling"]
)
async def test_whatever_hangs_fails_by_name_and_the_rest_is_done(town, does, where):
    names = sorted([*where, "well"])
    town.publish(*(f"{name}:1" for name in names))
    hasty(town.config(*(f"{name}:1" for name in names)))
    faults = {}
    for name, (whose, method, path) in where.items():
        faults[name] = getattr(town, whose).server.faults.add(Fault(does, method=method, path=path))

    began = time.monotonic()
    ran = await town.shell.run("sync", "-o", "json", "--retries", "0")

    assert time.monotonic() - began < 30
    assert {name for name, fault in faults.items() if fault.fired} == set(where), ran.out
    became = {name: (image["status"], (image["error"] or {}).get("code")) for name, image in by_name(town, ran).items()}
    assert became.pop("well") == ("copied", None)
    assert became == dict.fromkeys(where, ("failed", "E502"))
    assert ran.code == 1
    assert all(town.tags(name) == {} for name in where)


def hasty(path) -> None:
    document = json.loads(path.read_text())
    document["defaults"]["timeouts"] = SHORT
    path.write_text(json.dumps(document))


def by_name(town, ran):
    return {
        image["source"].removeprefix(f"{town.source}/").partition(":")[0]: image for image in ran.document["images"]
    }
