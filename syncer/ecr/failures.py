"""AWS's errors in our words: what a person does next decides the class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore import exceptions as boto

from syncer.ecr.skew import off_by
from syncer.errors import (
    AwsCredentials,
    AwsRefused,
    Denied,
    QuotaExceeded,
    RepositoryMissing,
    ServerError,
    SyncerError,
    TimedOut,
    TlsFailed,
    TooManyRequests,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# Source: ECR API reference, "Common errors"; STS API reference
_BY_CODE: Mapping[str, type[SyncerError]] = {
    "UnrecognizedClientException": AwsCredentials,
    "InvalidClientTokenId": AwsCredentials,
    "InvalidSignatureException": AwsCredentials,
    "SignatureDoesNotMatch": AwsCredentials,
    "IncompleteSignature": AwsCredentials,
    "MissingAuthenticationToken": AwsCredentials,
    "ExpiredTokenException": AwsCredentials,
    "ExpiredToken": AwsCredentials,
    "RequestExpired": AwsCredentials,
    "RequestTimeTooSkewed": AwsCredentials,
    "OptInRequired": AwsCredentials,
    "AccessDeniedException": Denied,
    "AccessDenied": Denied,
    "ThrottlingException": TooManyRequests,
    "Throttling": TooManyRequests,
    "TooManyRequestsException": TooManyRequests,
    "RepositoryNotFoundException": RepositoryMissing,
    "LimitExceededException": QuotaExceeded,
    "ServerException": ServerError,
    "InternalFailure": ServerError,
    "ServiceUnavailable": ServerError,
}
_SIGNED_AT = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed"})
_SET_THE_CLOCK = "set the clock of this machine, and have it kept: timedatectl set-ntp true"
_BY_KIND: tuple[tuple[type[Exception], type[SyncerError]], ...] = (
    (boto.ConnectTimeoutError, TimedOut),
    (boto.ReadTimeoutError, TimedOut),
    (boto.SSLError, TlsFailed),
    (boto.HTTPClientError, Unreachable),
    (boto.ConnectionError, Unreachable),
    (boto.EndpointConnectionError, Unreachable),
    (boto.ParamValidationError, AwsRefused),
    (boto.ConnectionClosedError, Unreachable),
)


def translated(error: boto.BotoCoreError | boto.ClientError, action: str, host: str, now: datetime) -> SyncerError:
    """`error` of `action` as one of ours, naming `host`; `now` is what our clock says."""
    if isinstance(error, boto.ClientError):
        return _answered(error, action, host, now)
    for kind, ours in _BY_KIND:
        if isinstance(error, kind):
            return ours(f"{action} at the ECR API for {host}: {error}", host=host)
    # What is left is botocore not getting as far as a request: profiles, credentials, SSO, assumed roles.
    return AwsCredentials(f"{action} for {host}: {error}", host=host)


def code_of(error: SyncerError) -> str:
    """AWS's own code behind a translated error, or the empty string."""
    cause = error.__cause__
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, boto.ClientError) else ""


def _answered(error: boto.ClientError, action: str, host: str, now: datetime) -> SyncerError:
    answer = error.response.get("Error", {})
    code, text = answer.get("Code", "unknown error"), answer.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    ours = _BY_CODE.get(code) or (ServerError if status >= 500 else AwsRefused)  # noqa: PLR2004 - the class of 5xx
    message = f"{action} at the ECR API for {host}: {code}: {text}".rstrip(": ")
    off = off_by(error.response, now) if code in _SIGNED_AT else None
    if off is not None:
        return ours(f"{message}; the clock of this machine is {off} that of AWS", hint=_SET_THE_CLOCK, host=host)
    return ours(message, host=host)
