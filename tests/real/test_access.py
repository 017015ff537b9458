"""Registries that want to be trusted, and registries that want to know who is asking."""

from __future__ import annotations

import base64
import json

import corpus
import pytest
import servers
from running import one

APP = corpus.image([corpus.layer("app")])
USER, PASSWORD = "alice", "open sesame"
BCRYPT = "$2b$04$e3vOU7R4b.8HQfwqx9FddOyONUnbg7xA9IsLDi439qqh.1dlgoNZ."  # of that password


@pytest.fixture(scope="module")
def source(source):
    corpus.Door(source.host).push("app", APP, "v1", "v2")
    return source


# TLS


@pytest.fixture(scope="module")
def encrypted(start):
    return start(tls=True)


def test_an_authority_of_ones_own_is_trusted(source, encrypted, syncer):
    (syncer.home / "corp.pem").write_bytes(encrypted.ca.read_bytes())
    registries = {encrypted.host: {"tls": {"ca": "corp.pem", "plain_http": False}}}
    syncer.write(**one(f"{source.host}/app:v1", "safe", {"there": encrypted.host}), registries=registries)
    ended = syncer.run("sync")
    assert ended.code == 0, ended.err
    door = corpus.Door(encrypted.host, servers.trusting(encrypted.ca))
    assert door.fetch("safe", "v1").body == APP.data
    assert syncer.run("verify", "--deep").code == 0


def test_a_certificate_may_be_left_unchecked(source, encrypted, syncer):
    registries = {encrypted.host: {"tls": {"verify": False, "plain_http": False}}}
    syncer.write(**one(f"{source.host}/app:v1", "unsafe", {"there": encrypted.host}), registries=registries)
    assert syncer.run("sync").code == 0


def test_an_unknown_authority_is_refused_at_once_and_said(source, encrypted, syncer):
    registries = {encrypted.host: {"tls": {"plain_http": False}}}
    syncer.write(**one(f"{source.host}/app:v1", "never", {"there": encrypted.host}), registries=registries)
    ended = syncer.run("sync")
    (error,) = [image["error"] for image in ended.report["images"]]
    assert ended.code == 1
    assert (error["host"], "certificate" in error["message"]) == (encrypted.host, True)
    assert "ca" in error["hint"]
    assert ended.seconds < 10


# passwords


@pytest.fixture(scope="module")
def guarded(start, tmp_path_factory):
    """A registry that lets only alice in."""
    users = tmp_path_factory.mktemp("users") / "htpasswd"
    users.write_text(f"{USER}:{BCRYPT}\n")
    return start(settings={"auth": {"htpasswd": {"realm": "tests", "path": str(users)}}})


def pair(password=PASSWORD):
    return base64.b64encode(f"{USER}:{password}".encode()).decode()


def test_the_password_may_be_in_the_file(source, guarded, syncer):
    registries = {guarded.host: {"auth": {"username": USER, "password": "${PASSWORD}"}}}
    syncer.write(**one(f"{source.host}/app:v1", "by/file", {"there": guarded.host}), registries=registries)
    ended = syncer.run("sync", PASSWORD=PASSWORD)
    assert ended.code == 0, ended.err
    door = corpus.Door(guarded.host, Authorization=f"Basic {pair()}")
    assert door.fetch("by/file", "v1").body == APP.data
    assert PASSWORD not in ended.out + ended.err


def test_the_password_may_be_in_dockers_config(source, guarded, syncer):
    (syncer.home / ".docker").mkdir()
    (syncer.home / ".docker/config.json").write_text(json.dumps({"auths": {guarded.host: {"auth": pair()}}}))
    syncer.write(**one(f"{source.host}/app:v1", "by/config", {"there": guarded.host}))
    assert syncer.run("sync").code == 0


def test_a_guarded_source_is_read(guarded, target, syncer):
    corpus.Door(guarded.host, Authorization=f"Basic {pair()}").push("mine", APP, "v1")
    registries = {guarded.host: {"auth": {"username": USER, "password": PASSWORD}}}
    syncer.write(**one(f"{guarded.host}/mine:v1", "mine", {"there": target.host}), registries=registries)
    assert syncer.run("sync").code == 0
    assert corpus.Door(target.host).fetch("mine", "v1").body == APP.data


def test_a_wrong_password_is_refused_at_once_and_said(source, guarded, syncer):
    registries = {guarded.host: {"auth": {"username": USER, "password": "guess"}}}
    syncer.write(**one(f"{source.host}/app", "no", {"there": guarded.host}, ["v1", "v2"]), registries=registries)
    ended = syncer.run("sync")
    errors = [image["error"] for image in ended.report["images"]]
    assert (ended.code, len(errors)) == (3, 2)
    assert {(error["code"][:2], error["host"]) for error in errors} == {("E2", guarded.host)}
    assert all(error["hint"] for error in errors)
    assert ended.seconds < 10


def test_no_password_at_all_is_refused_and_said(source, guarded, syncer):
    syncer.write(**one(f"{source.host}/app:v1", "no", {"there": guarded.host}))
    ended = syncer.run("sync")
    assert (ended.code, ended.report["images"][0]["error"]["code"][:2]) == (3, "E2")


def test_one_closed_target_does_not_close_the_other(source, guarded, target, syncer):
    syncer.write(**one(f"{source.host}/app:v1", "one", {"shut": guarded.host, "open": target.host}))
    ended = syncer.run("sync")
    became = {image["target"]: image["status"] for image in ended.report["images"]}
    assert (ended.code, became) == (3, {f"{guarded.host}/one:v1": "failed", f"{target.host}/one:v1": "copied"})
