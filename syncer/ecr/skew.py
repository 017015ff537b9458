"""Our clock beside that of AWS, where signatures hold for five minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TOLERANCE = timedelta(minutes=4)
"""A clock that is off by less is not why a signature was refused. Source: AWS signs for five minutes to either side."""


def time_at(answer: Mapping[str, Any], ours: datetime) -> datetime:
    """What time it was at AWS when it gave `answer` (of boto3); `ours`, where it does not say."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        return parsedate_to_datetime(headers.get("date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return ours


def off_by(answer: Mapping[str, Any], ours: datetime) -> str | None:
    """By how much our clock is wrong, in words; None if it is right enough."""
    off = ours - time_at(answer, ours)
    if abs(off) < TOLERANCE:
        return None
    minutes = round(abs(off) / timedelta(minutes=1))
    return f"{minutes // 60} h {minutes % 60} min {'ahead of' if off > timedelta(0) else 'behind'}"
