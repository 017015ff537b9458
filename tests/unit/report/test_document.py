"""The report as JSON, as the documentation shows it."""

import json

from syncer.errors import Failure
from syncer.oci.digest import Digest
from syncer.oci.reference import Reference
from syncer.oci.said import Said
from syncer.report.model import HostLine, Outcome, Report, Run, Status
from syncer.report.schema import document

DIGEST = Digest.of(b"image")
COPIED = Outcome(
    Reference.parse("nginx:1.27.3"),
    Reference.parse("east.example/base/nginx:1.27.3"),
    Status.COPIED,
    DIGEST,
    DIGEST,
    "origin",
    verified=True,
    via=("m.example",),
    bytes_moved=27,
    bytes_reused=44,
    seconds=3.91234,
    attempts=1,
    said=(Said("docker.io", DIGEST),),
)
FAILED = Outcome(
    Reference.parse("redis:7"),
    Reference.parse("east.example/redis:7"),
    Status.FAILED,
    failure=Failure("E402", "all lied", "add a mirror", "m.example"),
)
RUN = Run("run-1", "sync", "2026-01-01T00:00:00+00:00", 77.12345)
REPORT = Report(RUN, (COPIED, FAILED), (HostLine("m.example", 212, 27, "wrong bytes"),), ("a warning",))


def test_the_version_comes_first():
    assert next(iter(document(REPORT))) == "schema_version"


def test_the_run_has_its_exit_code():
    assert document(REPORT)["run"] == {
        "id": "run-1",
        "command": "sync",
        "started": "2026-01-01T00:00:00+00:00",
        "seconds": 77.123,
        "exit_code": 4,
    }
    assert document(REPORT, code=70)["run"]["exit_code"] == 70


def test_the_totals_add_up():
    assert document(REPORT)["totals"] == {
        "images": 2,
        "copied": 1,
        "up_to_date": 0,
        "kept": 0,
        "blocked": 0,
        "failed": 1,
        "deferred": 0,
        "bytes_moved": 27,
        "bytes_reused": 44,
    }


def test_an_image_has_every_field():
    first, second = document(REPORT)["images"]

    assert first == {
        "source": "docker.io/library/nginx:1.27.3",
        "target": "east.example/base/nginx:1.27.3",
        "status": "copied",
        "digest": str(DIGEST),
        "source_digest": str(DIGEST),
        "resolved_by": "origin",
        "verified": True,
        "via": ["m.example"],
        "bytes_moved": 27,
        "bytes_reused": 44,
        "seconds": 3.912,
        "attempts": 1,
        "left_out": [],
        "error": None,
        "said": [{"host": "docker.io", "digest": str(DIGEST), "error": None}],
    }
    assert second["error"] == {"code": "E402", "message": "all lied", "hint": "add a mirror", "host": "m.example"}
    assert second.keys() == first.keys()


def test_hosts_and_warnings_are_there():
    told = document(REPORT)

    assert told["hosts"] == [
        {"host": "m.example", "requests": 212, "bytes": 27, "blamed": "wrong bytes", "pulls": None}
    ]
    assert told["warnings"] == ["a warning"]


def test_plan_and_verify_count_their_own_statuses():
    for command, status in (("plan", "add"), ("verify", "corrupt")):
        totals = document(Report(Run("id", command, RUN.started, 1.0), ()))["totals"]
        assert totals[status] == 0
        assert "copied" not in totals


def test_it_is_json():
    assert json.loads(json.dumps(document(REPORT))) == document(REPORT)
