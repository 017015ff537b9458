"""Who signs a request: access keys, the accounts behind them, and the roles they may take."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncer.sandbox.ecr.failures import Failure

if TYPE_CHECKING:
    from syncer.clock import Clock

SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request,"
    r"\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=[0-9a-f]{64}",
)


def signer(authorization: str) -> str:
    """The access key of a signed request; empty if it is not signed."""
    match = SIGNATURE.fullmatch(authorization)
    return match["key"] if match else ""


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, or a role that was taken for a while."""

    access_key: str
    account: str
    arn: str
    session_token: str | None = None
    expires_at: datetime | None = None


class Principals:
    """Those of one partition. A key that is not in `known` is taken for a user of `account`, unless `strict`."""

    def __init__(self, partition: str, account: str, clock: Clock, *, strict: bool = False) -> None:
        self.partition = partition
        self.account = account
        self.strict = strict
        self.known: dict[str, Principal] = {}
        self.external_ids: dict[str, str] = {}  # role ARN → the ExternalId that its trust policy asks for
        self.seen: list[str] = []  # access keys, one per request
        self._clock = clock

    def add_user(self, access_key: str, account: str) -> Principal:
        """Know `access_key` as a user of `account`."""
        principal = Principal(access_key, account, f"arn:{self.partition}:iam::{account}:user/{access_key}")
        self.known[access_key] = principal
        return principal

    def take_role(self, role_arn: str, session: str, seconds: int) -> tuple[Principal, str]:
        """Temporary keys for a role, and their secret."""
        account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        key = "ASIA" + secrets.token_hex(8).upper()
        principal = Principal(
            key,
            account,
            f"arn:{self.partition}:sts::{account}:assumed-role/{role}/{session}",
            secrets.token_urlsafe(128),
            self._clock.now() + timedelta(seconds=seconds),
        )
        self.known[key] = principal
        return principal, secrets.token_urlsafe(30)

    def identify(self, authorization: str, session_token: str | None, service: str, regions: set[str]) -> Principal:
        """Who signed for `service` in one of `regions`; the signature itself is not computed."""
        match = SIGNATURE.fullmatch(authorization)
        if match is None:
            raise Failure("MissingAuthenticationTokenException", "Missing Authentication Token")
        self.seen.append(match["key"])
        if match["region"] not in regions:
            text = f"Credential should be scoped to a valid region, not '{match['region']}'."
            raise Failure("InvalidSignatureException", text)
        if match["service"] != service:
            raise Failure("InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'.")
        if "host" not in match["headers"].split(";"):
            raise Failure("InvalidSignatureException", "'Host' must be a 'SignedHeader' in the AWS Authorization.")
        return self._checked(match["key"], session_token)

    def _checked(self, access_key: str, session_token: str | None) -> Principal:
        principal = self.known.get(access_key)
        if principal is None and not self.strict:
            return self.add_user(access_key, self.account)
        if principal is None or (principal.session_token or session_token) != session_token:
            raise Failure("UnrecognizedClientException", "The security token included in the request is invalid.")
        if principal.expires_at is not None and principal.expires_at <= self._clock.now():
            raise Failure("ExpiredTokenException", "The security token included in the request is expired")
        return principal
