"""The report as JSON text; its shape is `syncer.report.schema`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from syncer.report import schema

if TYPE_CHECKING:
    from syncer.report.model import Report


def document(report: Report, code: int) -> str:
    """One document, ASCII only: terminal escapes from the network cannot hide in it."""
    return json.dumps(schema.document(report, code=code), indent=2) + "\n"
