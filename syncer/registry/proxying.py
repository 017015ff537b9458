"""The proxy between us and a host, with its own credential apart."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from syncer.errors import Unreachable
from syncer.settings.proxies import proxy_for, shown_proxy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.oci.names import Origin


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy; `headers` have the credential for it, which goes nowhere else."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def proxy_to(origin: Origin, explicit: str | None, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy that leads to `origin`; Unreachable where it is of a kind that we cannot use."""
    proxy = proxy_for(origin, explicit, environ)
    if proxy is None:
        return None
    parts = urlsplit(proxy)
    if parts.scheme not in ("http", "https"):
        message = f"{shown_proxy(proxy)} is no proxy that syncer can use for {origin.netloc}"
        raise Unreachable(message, host=origin.netloc, hint="use an http:// proxy")
    if parts.username is None:
        return Proxy(proxy)
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    permit = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(shown_proxy(proxy), {"Proxy-Authorization": permit})
