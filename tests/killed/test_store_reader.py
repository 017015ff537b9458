"""The reader of a registry's files, by which the other tests judge, finds all that can be wrong with a tag."""

from __future__ import annotations

import shutil

import corpus
import credulous
import pytest
from store_reader import Store

APP = corpus.platforms("read", "alpine")
CHILD = APP.children[0]
LAYER = CHILD.blobs[-1]


@pytest.fixture
def at(tmp_path):
    with credulous.serving(tmp_path / "storage") as registry:
        corpus.Door(registry.host).push("app", APP, "v1")
        yield registry


def test_what_is_whole_is_whole_and_its_tags_and_blobs_are_named(at):
    store = Store(at.storage)
    assert store.wrong() == []
    assert store.tags() == {"app:v1": APP.digest}
    assert store.placed() == {("app", blob.digest) for each in APP.children for blob in each.blobs}


def spoil(at, how):
    data, blob = at.data(LAYER.digest), at.linked("app", "_layers", LAYER.digest)
    deeds = {
        "no link to a blob": blob.unlink,
        "no bytes of a blob": data.unlink,
        "a shorter blob": lambda: data.write_bytes(LAYER.data[:-1]),
        "another blob": lambda: data.write_bytes(b"x" + LAYER.data[1:]),
        "no link to a child": at.linked("app", "_manifests/revisions", CHILD.digest).unlink,
        "no bytes of a child": at.data(CHILD.digest).unlink,
        "another child": lambda: at.data(CHILD.digest).write_bytes(CHILD.data.replace(b"layers", b"Layers")),
        "no root": at.data(APP.digest).unlink,
        "a tag that names nothing": lambda: at.tag("app", "v1").write_text("sha256:" + "0" * 64),
        "a repository that is gone": lambda: shutil.rmtree(blob.parents[2]),
    }
    deeds[how]()


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("no link to a blob", f"no blob {LAYER.digest}"),
        ("no bytes of a blob", f"blob {LAYER.digest} has no bytes"),
        ("a shorter blob", f"blob {LAYER.digest} has {len(LAYER.data) - 1} bytes and not {len(LAYER.data)}"),
        ("another blob", f"blob {LAYER.digest} has other bytes"),
        ("no link to a child", f"no manifest {CHILD.digest}"),
        ("no bytes of a child", f"manifest {CHILD.digest} has no bytes"),
        ("another child", f"manifest {CHILD.digest} has other bytes"),
        ("no root", f"manifest {APP.digest} has no bytes"),
        ("a tag that names nothing", "no manifest sha256:" + "0" * 64),
        ("a repository that is gone", f"no blob {LAYER.digest}"),
    ],
)
def test_what_is_wrong_is_named(at, how, what):
    spoil(at, how)
    assert f"app:v1: {what}" in Store(at.storage).wrong()
