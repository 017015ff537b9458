"""Real mirrors before a real origin: one that pulls through, and others that are stale, lie, break off or are dead."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack

import corpus
import pytest
import servers
from running import Log, one, without

OLD = corpus.platforms("old", "alpine")
NEW = corpus.platforms("new", "alpine", 300 * corpus.KIB)
TOP = NEW.children[0].blobs[-1]


@pytest.fixture(scope="module")
def source(source):
    corpus.Door(source.host).push("app", NEW, "v1")
    return source


def mirrored(source, target, repository, mirrors, **settings):
    registries = {source.host: {"mirrors": mirrors, **settings}}
    return one(f"{source.host}/app:v1", repository, {"there": target.host}) | {"registries": registries}


@pytest.fixture
def mirror(start):
    """A mirror that has everything, but another image under the tag."""
    running = start()
    door = corpus.Door(running.host)
    door.push("app", NEW, "v1")
    door.push("app", OLD, "v1")
    return running


def landed(target, repository):
    return corpus.Door(target.host).fetch(repository, "v1").body


def test_a_mirror_that_pulls_through_spares_the_origin_every_get(source, start, target, syncer):
    through = start(settings={"proxy": {"remoteurl": source.url}})
    log = Log(source)
    syncer.write(**mirrored(source, target, "through", [through.url]))
    ended = syncer.run("sync")
    assert (ended.code, landed(target, "through")) == (0, NEW.data), ended.err
    assert Counter(line.split()[0] for line in log.new()) == {"HEAD": 1}
    assert ended.report["images"][0]["via"] == [through.host]


def test_a_stale_mirror_gives_its_bytes_but_not_its_tag(source, mirror, target, syncer):
    syncer.write(**mirrored(source, target, "stale", [mirror.url]))
    ended = syncer.run("sync")
    assert (ended.code, landed(target, "stale")) == (0, NEW.data)
    image = ended.report["images"][0]
    assert (image["resolved_by"], image["via"]) == ("origin", [mirror.host])


BREAKAGES = {
    "other bytes": lambda path: path.write_bytes(b"x" + TOP.data[1:]),
    "too few bytes": lambda path: path.write_bytes(TOP.data[:-5000]),
    "no bytes": lambda path: path.unlink(),
}


@pytest.mark.parametrize("how", BREAKAGES)
def test_a_damaged_mirror_is_replaced_by_the_origin(source, mirror, target, syncer, how):
    name = f"damaged/{how.replace(' ', '-')}"
    syncer.write(**mirrored(source, target, name, [mirror.url]))
    with without(mirror, TOP.digest) as path:
        BREAKAGES[how](path)
        ended = syncer.run("sync")
    assert (ended.code, landed(target, name)) == (0, NEW.data), ended.err
    assert source.host in ended.report["images"][0]["via"]
    assert ended.seconds < 20


def test_a_mirror_that_lies_is_named(source, mirror, target, syncer):
    syncer.write(**mirrored(source, target, "lied", [mirror.url]))
    with without(mirror, TOP.digest) as path:
        BREAKAGES["other bytes"](path)
        ended = syncer.run("sync")
    blamed = {line["host"]: line["blamed"] for line in ended.report["hosts"] if line["blamed"]}
    assert list(blamed) == [mirror.host]
    assert TOP.digest in blamed[mirror.host]


def test_a_dead_mirror_costs_seconds(source, target, syncer):
    dead = f"http://127.0.0.1:{servers.free_port()}"
    syncer.write(**mirrored(source, target, "dead", [dead]))
    ended = syncer.run("sync")
    assert (ended.code, landed(target, "dead")) == (0, NEW.data)
    assert ended.seconds < 10


# with the origin gone


@pytest.fixture
def gone():
    """The name of an origin where nothing listens any more."""
    return f"127.0.0.1:{servers.free_port()}"


@pytest.mark.parametrize(("operators", "code"), [(["one", "two"], 0), (["one", "one"], 1)], ids=["two", "one"])
def test_two_operators_that_agree_carry_the_tag(gone, start, target, syncer, operators, code):
    mirrors = [start(), start()]
    for each in mirrors:
        corpus.Door(each.host).push("app", NEW, "v1")
    listed = [{"url": each.url, "operator": name} for each, name in zip(mirrors, operators, strict=True)]
    name = f"agreed-{len(set(operators))}"
    sections = one(f"{gone}/app:v1", name, {"there": target.host}) | {"registries": {gone: {"mirrors": listed}}}
    syncer.write(**sections)
    ended = syncer.run("sync")
    image = ended.report["images"][0]
    assert (ended.code, image["status"]) == (code, "failed" if code else "copied")
    assert ended.seconds < 20
    if code:
        assert NEW.digest in image["error"]["hint"]
    else:
        assert (image["resolved_by"], landed(target, name)) == ("agreement", NEW.data)


def test_a_tag_confirmed_before_is_kept_while_the_origin_is_gone(tmp_path, target, syncer):
    with ExitStack() as stack:
        origin = stack.enter_context(servers.docker_registry(tmp_path / "origin"))
        corpus.Door(origin.host).push("app", NEW, "v1")
        syncer.write(**one(f"{origin.host}/app:v1", "kept", {"there": target.host}))
        assert syncer.run("sync").code == 0
    ended = syncer.run("sync", "--retries", "1")
    assert (ended.code, ended.statuses) == (0, {"kept:v1": "kept"})
    assert syncer.run("verify", "--retries", "1").code == 1
