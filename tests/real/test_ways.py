"""What mirrors.yaml and the commands can ask for, on real registries: targets, platforms, referrers, names, plans."""

from __future__ import annotations

import json
from collections import Counter

import corpus
import pytest
import servers
from running import Log, counted, one

APP = corpus.platforms("app", "alpine")
OTHER = corpus.platforms("other", "alpine")
AMD64 = APP.children[0]


@pytest.fixture(scope="module")
def source(source):
    corpus.Door(source.host).push("app", APP, "v1", "v2")
    corpus.Door(source.host).push("other", OTHER, "v1")
    return source


def look(registry, repository, name):
    return corpus.Door(registry.host).fetch(repository, name)


# several targets


def test_two_targets_cost_the_source_one_read(source, start, syncer):
    log, targets = Log(source), [start(), start()]
    syncer.write(**one(f"{source.host}/app:v1", "app", {"east": targets[0].host, "west": targets[1].host}))
    ended = syncer.run("sync")
    assert (ended.code, len(ended.report["images"])) == (0, 2)
    assert [look(target, "app", "v1").body for target in targets] == [APP.data, APP.data]
    reads = Counter(line.split()[1] for line in log.new() if "/blobs/" in line or "/manifests/sha256" in line)
    assert set(reads.values()) == {1}


def test_a_dead_target_does_not_stop_the_other(source, target, syncer):
    dead = f"127.0.0.1:{servers.free_port()}"
    syncer.write(**one(f"{source.host}/app", "half", {"dead": dead, "there": target.host}, ["v1", "v2"]))
    ended = syncer.run("sync")
    assert ended.code == 1
    assert look(target, "half", "v1").body == look(target, "half", "v2").body == APP.data
    failed = [image for image in ended.report["images"] if image["status"] == "failed"]
    assert [(image["target"], image["error"]["host"]) for image in failed] == [
        (f"{dead}/half:v1", dead),
        (f"{dead}/half:v2", dead),
    ]
    assert ended.seconds < 60


# platforms


def test_an_index_is_cut_down_to_a_platform_and_told_with_both_digests(source, target, syncer):
    syncer.write(**one(f"{source.host}/app:v1", "slim", {"there": target.host}, platforms=["linux/amd64"]))
    planned = syncer.run("plan").report["images"][0]
    done = syncer.run("sync").report["images"][0]
    cut = look(target, "slim", "v1")
    assert planned["digest"] == done["digest"] == corpus.digest_of(cut.body) != APP.digest
    assert planned["source_digest"] == done["source_digest"] == APP.digest
    listed = [each["digest"] for each in json.loads(cut.body)["manifests"]]
    assert AMD64.digest in listed
    assert APP.children[2].digest not in listed


def test_an_unchanged_cut_index_costs_one_request_at_each_end(source, target, syncer):
    syncer.write(**one(f"{source.host}/app", "thin", {"there": target.host}, ["v1", "v2"], platforms=["linux/amd64"]))
    assert syncer.run("sync").code == 0
    logs = Log(source), Log(target)
    assert syncer.run("sync").report["totals"]["up_to_date"] == 2
    assert [[line.split()[0] for line in log.new()] for log in logs] == [["HEAD", "HEAD"], ["HEAD", "HEAD"]]


# referrers


@pytest.mark.parametrize("kept", [True, False], ids=["with", "without"])
def test_referrers_travel_when_they_are_asked_for(source, target, syncer, kept):
    about = corpus.artifact("about other", OTHER)
    door = corpus.Door(source.host)
    door.push("other", about)
    door.push("other", corpus.referrers_list(about), corpus.beside(OTHER))
    syncer.write(**one(f"{source.host}/other:v1", f"said-{kept}".lower(), {"there": target.host}, referrers=kept))
    assert syncer.run("sync").code == 0
    listed = look(target, f"said-{kept}".lower(), corpus.beside(OTHER))
    assert listed.status == (200 if kept else 404)
    if kept:
        (entry,) = json.loads(listed.body)["manifests"]
        assert (entry["digest"], entry["artifactType"]) == (about.digest, "application/vnd.example.chart.v1")
        assert look(target, "said-true", about.digest).body == about.data
    again = syncer.run("sync")
    assert again.report["totals"]["up_to_date"] == 1


# names


def test_copy_needs_no_file(source, target, syncer):
    ended = syncer.run("copy", f"{source.host}/app:v1", f"{target.host}/copied:renamed")
    assert (ended.code, ended.statuses) == (0, {"copied:renamed": "copied"})
    assert look(target, "copied", "renamed").body == APP.data


def test_copy_takes_a_digest(source, target, syncer):
    assert syncer.run("copy", f"{source.host}/app@{AMD64.digest}", f"{target.host}/copied:amd64").code == 0
    assert look(target, "copied", "amd64").body == AMD64.data


def test_a_rule_renames_pins_and_lists(source, target, syncer):
    sections = one("", "", {"there": target.host})
    sections["images"] = [
        {"source": f"{source.host}/app:v1", "target": "named/app:stable"},
        {"source": f"{source.host}/app@{AMD64.digest}", "target": "named/app:pinned"},
        {"source": f"{source.host}/app", "target": "named/all", "tags": ["v*"]},
    ]
    syncer.write(**sections)
    assert syncer.run("sync").code == 0
    assert look(target, "named/app", "stable").body == APP.data
    assert look(target, "named/app", "pinned").body == AMD64.data
    assert json.loads(corpus.Door(target.host).ask("GET", "/v2/named/all/tags/list").body)["tags"] == ["v1", "v2"]


def test_a_tag_that_does_not_exist_fails_alone(source, target, syncer):
    syncer.write(**one(f"{source.host}/app", "lost", {"there": target.host}, ["v1", "v404"]))
    ended = syncer.run("sync")
    assert (ended.code, ended.statuses) == (1, {"lost:v1": "copied", "lost:v404": "failed"})
    assert ended.seconds < 15


def test_many_tags_of_one_image_cost_the_target_no_error(source, target, syncer):
    """docker-registry fails at putting one manifest under two tags at the same time."""
    names = [f"t{n}" for n in range(60)]
    corpus.Door(source.host).push("alike", AMD64, *names)
    log = Log(target)
    syncer.write(**one(f"{source.host}/alike", "alike", {"there": target.host}, names))
    ended = syncer.run("sync", "-j", "32")
    assert (ended.code, ended.report["totals"]["copied"]) == (0, len(names))
    assert not [line for line in log.new() if line[-3:] >= "500"]


def test_within_one_registry_blobs_are_mounted_and_not_moved(source, syncer):
    log = Log(source)
    syncer.write(**one(f"{source.host}/app:v1", "moved/app", {"here": source.host}))
    ended = syncer.run("sync")
    assert (ended.code, ended.report["totals"]["bytes_moved"]) == (0, 0)
    assert look(source, "moved/app", "v1").body == APP.data
    assert counted(log.new(), "GET", "PUT", path="/blobs/") == 0


# plans


def test_a_plan_moves_nothing_and_is_applied(source, target, syncer):
    log = Log(target)
    syncer.write(**one(f"{source.host}/app", "planned", {"there": target.host}, ["v1", "v2"]))
    planned = syncer.run("plan", "--out", "plan.json")
    assert (planned.code, set(planned.statuses.values())) == (0, {"add"})
    assert counted(log.new(), "PUT", "POST", "PATCH") == 0
    assert syncer.run("plan", "--detailed-exitcode").code == 5
    assert syncer.run("apply", "plan.json").statuses == {"planned:v1": "copied", "planned:v2": "copied"}
    assert syncer.run("plan", "--detailed-exitcode").code == 0


def test_a_tag_that_moved_since_the_plan_fails_and_the_others_go_on(source, target, syncer):
    door = corpus.Door(source.host)
    door.push("moving", APP, "still", "moves")
    syncer.write(**one(f"{source.host}/moving", "moved", {"there": target.host}, ["still", "moves"]))
    syncer.run("plan", "--out", "plan.json")
    door.push("moving", OTHER, "moves")
    ended = syncer.run("apply", "plan.json")
    assert (ended.code, ended.statuses) == (1, {"moved:still": "copied", "moved:moves": "failed"})
    assert [image["error"]["code"] for image in ended.report["images"] if image["error"]] == ["E510"]
    assert look(target, "moved", "moves").status == 404


def test_a_moved_tag_is_updated_by_the_next_sync(source, target, syncer):
    door = corpus.Door(source.host)
    door.push("rolling", APP, "latest")
    syncer.write(**one(f"{source.host}/rolling", "rolling", {"there": target.host}, ["latest"]))
    assert syncer.run("sync").statuses == {"rolling:latest": "copied"}
    door.push("rolling", OTHER, "latest")
    assert syncer.run("plan").statuses == {"rolling:latest": "update"}
    assert syncer.run("verify").code == 5
    assert syncer.run("sync").statuses == {"rolling:latest": "copied"}
    assert look(target, "rolling", "latest").body == OTHER.data
