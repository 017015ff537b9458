"""The rig counts right: kinds of requests, bytes at both ends, nothing of its own."""

import pytest

from bench import corpus, counts
from bench.loading import Loader
from bench.rig import Registry, tags_of

DIGEST = "sha256:" + "a" * 64


def line(request: str, status: int, size: int = 0, agent: str = "a client") -> str:
    return f'127.0.0.1 - - [24/Nov/2026:22:44:07 +0000] "{request} HTTP/1.1" {status} {size} "" "{agent}"'


@pytest.mark.parametrize(
    ("request_line", "status", "kind"),
    [
        ("GET /v2/", 200, "ping"),
        ("GET /v2/a/b/tags/list?n=100", 200, "tags"),
        ("HEAD /v2/a/b/manifests/v1", 404, "HEAD manifest"),
        ("PUT /v2/a/b/manifests/v1", 201, "PUT manifest"),
        ("GET /v2/blobs/manifests/v1", 200, "GET manifest"),
        (f"GET /v2/a/b/blobs/{DIGEST}", 206, "GET blob"),
        ("POST /v2/a/b/blobs/uploads/", 202, "POST upload"),
        (f"POST /v2/a/b/blobs/uploads/?mount={DIGEST}&from=c", 201, "mount"),
        (f"POST /v2/a/b/blobs/uploads/?mount={DIGEST}&from=c", 202, "POST upload"),
        ("PATCH /v2/a/b/blobs/uploads/1?_state=x", 202, "PATCH upload"),
        (f"PUT /v2/a/b/blobs/uploads/1?_state=x&digest={DIGEST}", 201, "PUT upload"),
        (f"GET /v2/a/b/referrers/{DIGEST}", 404, "referrers"),
        ("GET /v2/_catalog", 200, "catalog"),
        ("GET /token?scope=x", 200, "token"),
    ],
)
def test_every_request_has_its_kind(request_line, status, kind) -> None:
    traffic, _ = counts.count([line(request_line, status)])

    assert traffic.requests == {kind: 1}


def test_a_broken_get_counts_what_was_sent_of_it_and_a_refused_one_nothing() -> None:
    asked = f"GET /v2/a/blobs/{DIGEST}"
    traffic, _ = counts.count([line(asked, 200, 70), line(asked, 206, 30), line(asked, 404, 157), line(asked, 500, 9)])

    assert (traffic.blob_bytes_out, traffic.failures) == (100, 1)


def test_only_a_finished_upload_is_an_upload() -> None:
    done = f"PUT /v2/a/blobs/uploads/1?digest={DIGEST}"
    _, uploaded = counts.count(
        [line(done, 201), line(done, 400), line(f"POST /v2/a/blobs/uploads/?mount={DIGEST}", 201)]
    )

    assert uploaded == [DIGEST]


def test_the_rig_does_not_count_itself_nor_what_is_no_request() -> None:
    traffic, _ = counts.count([line("GET /knock", 404, agent=counts.OURS), "listening on :5000", ""])

    assert traffic.total == 0


def test_a_registry_counts_what_a_client_of_known_habits_does(tmp_path, monkeypatch) -> None:
    """The loader sends each distinct blob once and mounts it elsewhere: the census says how often."""
    monkeypatch.setattr("bench.loading.OURS", "a client")
    images = corpus.small(1 / 50)
    known = corpus.census(images)
    registry = Registry(tmp_path / "storage", tmp_path)
    try:
        Loader(registry.host).load(images)
        first, second = registry.traffic(), registry.traffic()
    finally:
        registry.close()

    tags = {
        (name.rpartition("/")[2], tag): image.digest for name, kept in images.items() for tag, image in kept.items()
    }
    assert first.requests == {
        "POST upload": known.distinct,
        "PUT upload": known.distinct,
        "mount": known.placed - known.distinct,
        "PUT manifest": known.manifests + known.tags,
    }
    assert first.blob_bytes_in == known.distinct_bytes
    assert known.distinct_bytes < first.wire_in < known.distinct_bytes * 2
    assert (second.total, second.blob_bytes_in) == (0, 0)
    assert tags_of(tmp_path / "storage") == tags
