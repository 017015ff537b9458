"""What a test or a demo may turn: where ECR's behaviour varies, is unsettled, or takes long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Switches:
    """The behaviour of one region; may be changed while it runs."""

    token_life: float = 43_200  # seconds; the service gives 12 hours
    checks_time: bool = False  # of signatures; off, since tests move the clock of the region and botocore's stays
    expired_status: int = 403  # or 401: both have been reported for an expired token
    url_life: float = 3_600  # seconds that a download URL is good for
    quota_factor: float = 1.0  # of the real quotas
    burst_seconds: float = 2.0  # how many seconds' worth of requests a full bucket holds
    repositories: int = 100_000  # per registry
    incomplete_status: int = 404  # or 400: of a manifest whose layers or children are missing
    newer_immutable_text: bool = False  # "the tag is immutable" in every mode
    close_on_missing_repository: bool = False  # a POST to a missing repository gets no answer
    reset_upload_after: int | None = None  # the next upload's connection dies after so many bytes; then None again
    mounting_supported: bool = True  # whether the account setting BLOB_MOUNTING exists in this region
    replication_seconds: float = 60  # from push until a replica is COMPLETE
