"""A layer of a gigabyte: in a bounded memory, in one read and one upload."""

from __future__ import annotations

import shutil

import corpus
from running import Log, counted, one

GIB = 1024**3
MIB = 1024**2


def test_a_layer_of_a_gigabyte_needs_little_memory_one_read_and_one_upload(source, target, syncer):
    digest = corpus.push_big_image(source.host, "big", GIB)
    logs = Log(source), Log(target)
    syncer.write(**one(f"{source.host}/big:v1", "big", {"there": target.host}))
    ended = syncer.run("sync")
    print(f"1 GiB: {ended.seconds:.1f} s, {ended.peak / MIB:.0f} MiB")  # noqa: T201 - for whoever reads -s
    assert ended.code == 0, ended.err
    assert ended.peak < 150 * MIB
    assert target.blob_path(digest).stat().st_size == GIB
    assert counted(logs[0].new(), "GET", path="/blobs/sha256") == 2  # with the config
    assert counted(logs[1].new(), "PUT", path="/blobs/uploads") == 2
    for registry in (source, target):
        shutil.rmtree(registry.storage)
