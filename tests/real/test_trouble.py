"""A run that is killed, interrupted or let down by its registries, and what it leaves behind."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack

import corpus
import pytest
import servers
from running import Log, counted, one, without

APP = corpus.platforms("app", "alpine")
TAGS = {f"v{n}": corpus.platforms(f"many {n}", "debian", 400 * corpus.KIB) for n in range(12)}


@pytest.fixture(scope="module")
def source(source):
    door = corpus.Door(source.host)
    door.push_corpus({"many": TAGS, "app": {"v1": APP}})
    return source


def begun(syncer, target, after, *options):
    """A sync, as soon as it has sent `after` blobs."""
    log = Log(target)
    process = syncer.start("sync", *options)
    assert servers.wait_until(lambda: counted(log.all(), "PUT") >= after, process, "the sync")
    return process


def tags_of(registry, repository):
    """Every tag that the registry has, each seen to be whole."""
    door = corpus.Door(registry.host)
    found = [tag for tag in TAGS if door.fetch(repository, tag).status == 200]
    for tag in found:
        for each in corpus.everything(TAGS[tag]):
            assert door.fetch(repository, each.digest).body == each.data
            for blob in each.blobs:
                assert door.ask("HEAD", f"/v2/{repository}/blobs/{blob.digest}").status == 200
    return found


@pytest.mark.parametrize("after", [1, 15, 40, 70])
def test_killed_at_any_time_no_tag_names_anything_incomplete(source, target, syncer, after):
    name = f"killed/{after}"
    syncer.write(**one(f"{source.host}/many", name, {"there": target.host}, list(TAGS)))
    process = begun(syncer, target, after)
    process.kill()
    process.wait()
    assert len(tags_of(target, name)) < len(TAGS)
    again = syncer.run("sync")
    assert again.code == 0, again.err
    assert tags_of(target, name) == list(TAGS)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_a_report_and_nothing_incomplete(source, target, syncer, number, code):
    name = f"stopped/{code}"
    syncer.write(**one(f"{source.host}/many", name, {"there": target.host}, list(TAGS)))
    process = begun(syncer, target, 5, "-j", "1", "--report", "report.json")
    process.send_signal(number)
    began = time.monotonic()
    assert process.wait() == code
    assert time.monotonic() - began < 25
    there = tags_of(target, name)
    report = (syncer.home / "report.json").read_text()
    assert report.count('"status": "copied"') == len(there) < len(TAGS)
    assert syncer.run("sync").code == 0


def test_a_dead_target_is_given_up_within_a_minute_however_many_tags(source, target, syncer):
    dead = f"127.0.0.1:{servers.free_port()}"
    syncer.write(**one(f"{source.host}/many", "half", {"dead": dead, "there": target.host}, list(TAGS)))
    ended = syncer.run("sync")
    assert (ended.code, ended.report["totals"]["copied"]) == (1, len(TAGS))
    assert tags_of(target, "half") == list(TAGS)
    assert ended.seconds < 60


def test_a_target_that_goes_away_and_comes_back(source, tmp_path, syncer):
    """Killed in the middle and started again on its files: the run goes on, or the next one finishes it."""
    with servers.docker_registry(tmp_path / "registry") as registry:
        syncer.write(**one(f"{source.host}/many", "back", {"there": registry.host}, list(TAGS)))
        process = begun(syncer, registry, 10)
        registry.process.kill()
        assert process.wait() in (0, 1)
    with servers.docker_registry(tmp_path / "registry") as registry:
        assert len(tags_of(registry, "back")) < len(TAGS)
        syncer.write(**one(f"{source.host}/many", "back", {"there": registry.host}, list(TAGS)))
        assert syncer.run("sync").code == 0
        assert tags_of(registry, "back") == list(TAGS)


def test_a_target_that_takes_nothing_says_why(source, start, syncer, tmp_path):
    storage = {"filesystem": {"rootdirectory": str(tmp_path)}, "maintenance": {"readonly": {"enabled": True}}}
    closed = start(settings={"storage": storage})
    syncer.write(**one(f"{source.host}/app:v1", "app", {"there": closed.host}))
    ended = syncer.run("sync")
    (error,) = [image["error"] for image in ended.report["images"]]
    assert (ended.code, error["host"]) == (1, closed.host)
    assert "405" in error["message"] or "unsupported" in error["message"]
    assert ended.seconds < 20


def test_a_layer_that_is_damaged_at_the_source_is_never_stored(source, target, syncer):
    victim = TAGS["v3"].children[0].blobs[-1]
    with without(source, victim.digest) as path:
        path.write_bytes(b"x" + victim.data[1:])
        syncer.write(**one(f"{source.host}/many", "clean", {"there": target.host}, ["v2", "v3"]))
        ended = syncer.run("sync")
    assert (ended.code, ended.statuses) == (4, {"clean:v2": "copied", "clean:v3": "failed"})
    assert victim.digest in ended.out
    assert corpus.Door(target.host).ask("HEAD", f"/v2/clean/blobs/{victim.digest}").status == 404
    assert tags_of(target, "clean") == ["v2"]


def test_a_layer_that_is_missing_at_the_source_fails_its_image_alone(source, target, syncer):
    victim = TAGS["v5"].children[0].blobs[-1]
    with without(source, victim.digest) as path:
        path.unlink()
        syncer.write(**one(f"{source.host}/many", "partial", {"there": target.host}, ["v4", "v5"]))
        ended = syncer.run("sync")
    assert ended.statuses == {"partial:v4": "copied", "partial:v5": "failed"}
    assert tags_of(target, "partial") == ["v4"]


def test_two_runs_of_one_file_do_not_meet(source, target, syncer):
    syncer.write(**one(f"{source.host}/many", "locked", {"there": target.host}, list(TAGS)))
    process = begun(syncer, target, 3)
    process.send_signal(signal.SIGSTOP)
    assert syncer.run("sync").code == 7
    process.send_signal(signal.SIGCONT)
    assert process.wait() == 0


@pytest.mark.parametrize("victims", [["source"], ["target"], ["source", "target"]], ids="-".join)
def test_a_registry_that_restarts_in_the_middle_of_a_layer_is_waited_for(tmp_path, syncer, victims):
    with ExitStack() as stack:
        ends = {name: stack.enter_context(servers.docker_registry(tmp_path / name)) for name in ("source", "target")}
        digest = corpus.push_big_image(ends["source"].host, "big", 300 * corpus.MIB)
        syncer.write(**one(f"{ends['source'].host}/big:v1", "big", {"there": ends["target"].host}))
        process = syncer.start("sync")
        servers.wait_until(lambda: _arrived(ends["target"], "big") > 50 * corpus.MIB, process, "the upload")
        for name in victims:
            stack.enter_context(servers.restarted(ends[name]))
        assert process.wait() == 0, (syncer.home / "out").read_text()
        assert ends["target"].blob_path(digest).stat().st_size == 300 * corpus.MIB


def _arrived(registry, repository):
    """Bytes of uploads that the registry has begun."""
    uploads = registry.storage / f"docker/registry/v2/repositories/{repository}/_uploads"
    return sum(path.stat().st_size for path in uploads.glob("*/data"))
