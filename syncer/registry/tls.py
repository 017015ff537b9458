"""How a server proves who it is, and what each encrypted connection may hold."""

from __future__ import annotations

import ssl
from asyncio import sslproto
from typing import TYPE_CHECKING

from syncer.errors import TlsFailed

if TYPE_CHECKING:
    from pathlib import Path


BUFFER = 96 * 1024  # bytes that a connection takes from the network at a time; OpenSSL holds up to as many again


class Trust:
    """The contexts of a run, one per way to trust: connections are shared between those whose context is the same.

    asyncio's own 256 KiB would be 60 MiB for the 130 connections of a run over long round trips, and it has no other
    place to say so: this holds for every encrypted connection that the process makes from now on.
    """

    def __init__(self) -> None:
        sslproto.SSLProtocol.max_size = BUFFER
        self._contexts: dict[tuple[Path | None, bool], ssl.SSLContext] = {}

    def context(self, ca: Path | None, *, verify: bool) -> ssl.SSLContext:
        """A context that trusts the system's authorities and those in `ca`, or anyone; TlsFailed for a bad file."""
        key = (ca, verify)
        if key not in self._contexts:
            self._contexts[key] = _verifying(ca) if verify else _unverified()
        return self._contexts[key]


def _verifying(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except OSError as exc:  # ssl.SSLError is one
            raise TlsFailed(f"{ca} cannot be used as a bundle of certificates: {exc.strerror or exc}") from exc
    return context


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
