"""Authorization tokens: minted by the API, accepted by `/v2/` as a Basic password, dead after their life."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncer.clock import Clock
    from syncer.sandbox.ecr.switches import Switches


class Standing(Enum):
    """What `/v2/` makes of an Authorization header."""

    GOOD = "good"
    EXPIRED = "expired"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Token:
    """A token for every registry that its principal may use."""

    password: str
    access_key: str
    expires_at: datetime

    @property
    def encoded(self) -> str:
        """What GetAuthorizationToken answers, and what follows `Basic ` in a request."""
        return base64.b64encode(f"AWS:{self.password}".encode()).decode()


class Tokens:
    """Those of one region."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self.minted: dict[str, Token] = {}

    def mint(self, access_key: str) -> Token:
        """A new token of the life that the switches say."""
        expires = self._clock.now() + timedelta(seconds=self._switches.token_life)
        content = {
            "payload": secrets.token_urlsafe(secrets.choice(range(300, 600))),
            "version": "2",
            "type": "DATA_KEY",
            "expiration": int(expires.timestamp()),
        }
        password = base64.b64encode(json.dumps(content).encode()).decode()
        self.minted[password] = Token(password, access_key, expires)
        return self.minted[password]

    def standing(self, authorization: str | None) -> Standing:
        """Only `Basic` with the user AWS and a token of this region is good."""
        token = self.minted.get(_password(authorization or ""))
        if token is None:
            return Standing.REFUSED
        return Standing.GOOD if self._clock.now() < token.expires_at else Standing.EXPIRED


def _password(authorization: str) -> str:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password if user == "AWS" else ""
