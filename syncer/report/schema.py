"""The report as a JSON document: what `-o json` prints. Fields are only ever added."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from syncer.report.exit_code import exit_code
from syncer.report.model import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncer.errors import Failure
    from syncer.oci.said import Said
    from syncer.report.model import HostLine, Outcome, Report, Run

SCHEMA_VERSION = 1

_RUN = (Status.COPIED, Status.UP_TO_DATE, Status.KEPT, Status.BLOCKED, Status.FAILED, Status.DEFERRED)
_PLAN = (Status.ADD, Status.UPDATE, Status.UP_TO_DATE, Status.KEPT, Status.BLOCKED, Status.FAILED)
_VERIFY = (Status.OK, Status.DIFFERS, Status.MISSING, Status.CORRUPT, Status.FAILED)
_COUNTED = {"plan": _PLAN, "verify": _VERIFY}
"""The statuses that each command can give, in the order of its totals."""


def document(report: Report, *, code: int | None = None) -> dict[str, Any]:
    """The whole report; `code` is the exit code where it is another than the outcomes alone make."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run": _run(report.run, exit_code(report) if code is None else code),
        "totals": _totals(report.run.command, report.outcomes),
        "images": [_image(outcome) for outcome in report.outcomes],
        "hosts": [_host(host) for host in report.hosts],
        "warnings": list(report.warnings),
    }


def _run(run: Run, code: int) -> dict[str, Any]:
    return {
        "id": run.id,
        "command": run.command,
        "started": run.started,
        "seconds": round(run.seconds, 3),
        "exit_code": code,
    }


def _totals(command: str, outcomes: Sequence[Outcome]) -> dict[str, int]:
    counts = Counter(outcome.status for outcome in outcomes)
    return {
        "images": len(outcomes),
        **{status.value: counts[status] for status in _COUNTED.get(command, _RUN)},
        "bytes_moved": sum(outcome.bytes_moved for outcome in outcomes),
        "bytes_reused": sum(outcome.bytes_reused for outcome in outcomes),
    }


def _image(outcome: Outcome) -> dict[str, Any]:
    return {
        "source": str(outcome.source),
        "target": str(outcome.target),
        "status": outcome.status.value,
        "digest": _text(outcome.digest),
        "source_digest": _text(outcome.source_digest),
        "resolved_by": outcome.resolved_by,
        "verified": outcome.verified,
        "via": list(outcome.via),
        "bytes_moved": outcome.bytes_moved,
        "bytes_reused": outcome.bytes_reused,
        "seconds": round(outcome.seconds, 3),
        "attempts": outcome.attempts,
        "error": _error(outcome.failure),
        "said": [_said(said) for said in outcome.said],
        "left_out": [str(digest) for digest in outcome.left_out],
    }


def _said(said: Said) -> dict[str, Any]:
    return {"host": said.host, "digest": _text(said.digest), "error": _error(said.failure)}


def _error(failure: Failure | None) -> dict[str, str | None] | None:
    if failure is None:
        return None
    return {"code": failure.code, "message": failure.message, "hint": failure.hint, "host": failure.host}


def _host(host: HostLine) -> dict[str, Any]:
    return {
        "host": host.host,
        "requests": host.requests,
        "bytes": host.received,
        "blamed": host.blamed,
        "pulls": None if host.pulls is None else asdict(host.pulls),
    }


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)
