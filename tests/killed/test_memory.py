"""Memory: little, however many images there are and however large they are."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import corpus
import credulous
import pytest
import servers
from running import Syncer, one
from store_reader import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB, GIB = 1024**2, 1024**3
CELL = 256 * MIB
CGROUPS = Path("/sys/fs/cgroup/memory")  # version 1: what a container of that size is


@contextmanager
def cell(syncer: Syncer) -> Iterator[Path]:
    """Let the runs of `syncer` have 256 MiB and no swap: the kernel kills what takes more."""
    group = CGROUPS / f"syncer-{os.getpid()}"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(CELL))
    syncer.before = ("sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh")
    try:
        yield group
    finally:
        syncer.before = ()
        group.rmdir()


def published(at: credulous.Credulous, count: int, *, whole: bool = True) -> list[str]:
    """The tags of so many images of one repository, put right on its disk; each with a layer of its own if `whole`."""
    config = corpus.Blob(corpus.OCI_CONFIG, b'{"os": "linux", "architecture": "amd64"}')
    for number in range(count):
        layer = corpus.Blob(corpus.OCI_LAYER, f"layer {number}".encode())
        body = {"config": config.descriptor(), "layers": [layer.descriptor()]}
        root = corpus.document(corpus.OCI_MANIFEST, body, [config, layer], [])
        for blob in root.blobs if whole else ():
            at.hold("many", "_layers", blob.digest, blob.data)
        at.hold("many", "_manifests/revisions", root.digest, root.data, f"v{number}")
    return [f"v{number}" for number in range(count)]


def asked(at: credulous.Credulous) -> Counter[str]:
    """How many requests of each method there were since the last time that one looked."""
    methods = Counter(line.split()[0] for line in at.asked)
    at.asked.clear()
    return methods


def test_a_thousand_unchanged_images_cost_two_requests_each_and_little_memory(tmp_path, syncer):
    with credulous.serving(tmp_path / "source") as source, credulous.serving(tmp_path / "target") as target:
        tags = published(source, 1000, whole=False)
        published(target, 1000, whole=False)
        syncer.write(**one(f"{source.host}/many", "many", {"there": target.host}, tags))
        ended = syncer.run("sync")
    assert (ended.code, ended.report["totals"]["up_to_date"]) == (0, 1000)
    assert asked(source) == asked(target) == {"HEAD": 1000}
    assert ended.peak < 150 * MIB


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_ten_thousand_images_are_copied_in_a_cell_of_256_mib(tmp_path, syncer):
    with credulous.serving(tmp_path / "source") as source, credulous.serving(tmp_path / "target") as target:
        syncer.write(**one(f"{source.host}/many", "many", {"there": target.host}, published(source, 10_000)))
        with cell(syncer):
            first, second = syncer.run("sync"), syncer.run("sync")
    store = Store(target.storage)
    assert (first.code, first.report["totals"]["copied"]) == (0, 10_000)
    assert (second.code, second.report["totals"]["up_to_date"]) == (0, 10_000)
    assert (len(store.tags()), store.wrong()) == (10_000, [])
    assert max(first.peak, second.peak) < CELL


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_layer_of_four_gibibytes_goes_through_a_cell_of_256_mib(tmp_path, syncer):
    with servers.docker_registry(tmp_path / "source") as source, servers.docker_registry(tmp_path / "target") as target:
        digest = corpus.push_big_image(source.host, "big", 4 * GIB)
        syncer.write(**one(f"{source.host}/big:v1", "big", {"there": target.host}))
        with cell(syncer) as group:
            ended = syncer.run("sync")
            assert "oom_kill 0" in (group / "memory.oom_control").read_text()
        assert ended.code == 0, ended.err
        assert ended.peak < 150 * MIB
        assert Store(target.storage).wrong() == []
        assert target.blob_path(digest).stat().st_size == 4 * GIB
    for place in ("source", "target"):
        shutil.rmtree(tmp_path / place)
