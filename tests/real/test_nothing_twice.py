"""A layer from a slow source: killed or broken off in the middle, it is not read again from its first byte."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import corpus
import pytest
import servers
from running import Log, counted, one

from bench.rig import Shape, Shaper
from syncer.clock import SystemClock
from syncer.state.spool import opened

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 32 * corpus.MIB
SLOW = Shape(rate=2.5 * corpus.MIB)  # 13 seconds for the layer


@pytest.fixture(scope="module")
def layer(source) -> str:
    return corpus.push_big_image(source.host, "big", SIZE)


@pytest.fixture
def link(source, layer):  # noqa: ARG001 - the layer has to be there
    made = Shaper(source.host)
    made.set(SLOW)
    yield made
    made.close()


def spooled(syncer, layer: str) -> Path:
    """The file of the layer in the spool."""
    return syncer.home / "state" / "spool" / f"{layer.replace(':', '-')}.part"


def kept(syncer, layer: str) -> int:
    """How much of the layer is on disk."""
    path = spooled(syncer, layer)
    return path.stat().st_size if path.exists() else 0


@pytest.fixture
def links(source, layer):  # noqa: ARG001 - the layer has to be there
    """Three mirrors, each as slow as the link."""
    made = [Shaper(source.host) for _ in range(3)]
    for each in made:
        each.set(SLOW)
    yield made
    for each in made:
        each.close()


def brought(links) -> int:
    """Bytes that came over all of them."""
    return sum(each.carried()["down"] for each in links)


def half_kept(syncer, layer, process) -> None:
    assert servers.wait_until(lambda: kept(syncer, layer) > SIZE // 2, process, "the spool")


def test_the_run_after_a_kill_reads_the_rest_and_sends_nothing_again(link, layer, target, syncer):
    syncer.write(**one(f"{link.host}/big:v1", "killed", {"there": target.host}))
    process = syncer.start("sync")
    half_kept(syncer, layer, process)
    process.kill()
    process.wait()
    there, before, log = kept(syncer, layer), link.set(Shape(rate=1e9))["down"], Log(target)
    again = syncer.run("sync")
    assert again.code == 0, again.err
    assert link.carried()["down"] - before < SIZE - there + corpus.MIB // 4
    put = [line for line in log.new() if line.endswith(" 201")]
    assert counted(put, "PUT", path="/blobs/") == 1  # the configuration has landed before
    assert target.blob_path(layer).stat().st_size == SIZE
    assert kept(syncer, layer) == 0


def test_what_was_kept_of_ranges_from_three_mirrors_is_a_beginning_and_the_next_run_reads_on_in_ranges(
    source, layer, links, target, syncer
):
    mirrors = {source.host: {"mirrors": [f"http://{each.host}" for each in links]}}
    syncer.write(**one(f"{source.host}/big:v1", "ranges", {"there": target.host}), registries=mirrors)
    process = syncer.start("sync")
    half_kept(syncer, layer, process)
    process.kill()
    process.wait()
    kept_bytes, before, log = spooled(syncer, layer).read_bytes(), brought(links), Log(source)
    again = syncer.run("sync")
    assert again.code == 0, again.err
    assert source.blob_path(layer).read_bytes().startswith(kept_bytes)
    assert brought(links) - before < SIZE - len(kept_bytes) + corpus.MIB // 4
    parts = [line for line in log.new() if line.endswith(" 206")]
    assert len(parts) > 3
    assert again.peak < 100 * corpus.MIB
    assert target.blob_path(layer).stat().st_size == SIZE


def test_one_of_three_targets_that_breaks_costs_the_source_nothing(link, layer, start, tmp_path, syncer):
    with ExitStack() as stack:
        breaks = stack.enter_context(servers.docker_registry(tmp_path / "breaks"))
        hosts = {"breaks": breaks.host, "east": start().host, "west": start().host}
        syncer.write(**one(f"{link.host}/big:v1", "three", hosts))
        process = syncer.start("sync", "-o", "json")
        half_kept(syncer, layer, process)
        stack.enter_context(servers.restarted(breaks))
        assert process.wait() == 0, (syncer.home / "err").read_text()
    assert link.carried()["down"] < SIZE + corpus.MIB


def test_an_upload_that_breaks_goes_on_from_what_was_read(link, layer, tmp_path, syncer):
    with servers.docker_registry(tmp_path / "target") as target:
        syncer.write(**one(f"{link.host}/big:v1", "broken", {"there": target.host}))
        process = syncer.start("sync")
        half_kept(syncer, layer, process)
        with servers.restarted(target):
            assert process.wait() == 0, (syncer.home / "out").read_text()
            assert target.blob_path(layer).stat().st_size == SIZE
    assert link.carried()["down"] < SIZE * 1.25


def test_a_byte_that_went_wrong_on_disk_is_found_and_the_right_ones_arrive(link, layer, target, syncer):
    syncer.write(**one(f"{link.host}/big:v1", "flipped", {"there": target.host}))
    process = syncer.start("sync")
    assert servers.wait_until(lambda: kept(syncer, layer) > SIZE // 8, process, "the spool")
    process.kill()
    process.wait()
    path = spooled(syncer, layer)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    link.set(Shape(rate=1e9))
    again = syncer.run("sync")
    assert again.code == 0, again.err
    assert again.report["totals"]["copied"] == 1
    assert corpus.digest_of(target.blob_path(layer).read_bytes()) == layer


def test_a_spool_that_cannot_be_had_is_missed_only_by_who_asked_for_it(source, layer, target, syncer):  # noqa: ARG001
    syncer.write(**one(f"{source.host}/big:v1", "without", {"there": target.host}))
    asked = syncer.run("sync", "--spool-dir", "/proc/spool")
    assert (asked.code, asked.statuses) == (0, {"without:v1": "copied"})
    assert "no spool: /proc/spool cannot be used" in asked.err + asked.out
    with opened(syncer.home / "state" / "spool", SystemClock()):
        unasked = syncer.run("sync")
    assert unasked.code == 0
    assert "spool" not in unasked.err + unasked.out


def test_a_fast_source_and_one_target_leave_the_disk_alone(source, layer, target, syncer):  # noqa: ARG001
    syncer.write(**one(f"{source.host}/big:v1", "fast", {"there": target.host}))
    assert syncer.run("sync", "--spool-limit", "1024").code == 0
    assert list((syncer.home / "state" / "spool").iterdir()) == []
