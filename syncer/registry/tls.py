"""How a server proves who it is."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from syncer.errors import TlsFailed

if TYPE_CHECKING:
    from syncer.settings.registries import Tls


def context_for(tls: Tls) -> ssl.SSLContext:
    """A context that trusts the system's authorities and `tls.ca`; TlsFailed if that file is none."""
    context = ssl.create_default_context()
    if tls.ca is not None:
        try:
            context.load_verify_locations(cafile=tls.ca)
        except (OSError, ssl.SSLError) as exc:
            raise TlsFailed(f"{tls.ca} cannot be used as a bundle of certificates: {exc.strerror or exc}") from exc
    return context


def unverified() -> ssl.SSLContext:
    """A context that believes anyone, for `tls: {verify: false}`."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
