"""Which proxy leads to a host: one rule, for HTTP and for AWS."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from syncer.settings.registries import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncer.oci.names import Origin

_PORT = re.compile("[0-9]{1,5}")


def proxy_for(origin: Origin, explicit: str | None, environ: Mapping[str, str]) -> str | None:
    """The URL of the proxy that leads to `origin`, with its user name if it has one; None: go straight there.

    `explicit` is what the configuration says for this host; it wins over the environment's HTTPS_PROXY, HTTP_PROXY,
    ALL_PROXY and NO_PROXY, of which the lowercase spelling wins, as with curl. Loopback hosts are never proxied.
    """
    if is_loopback(origin.host):
        return None
    if explicit is not None:
        return _with_scheme(explicit)
    if _excluded(origin, _variable(environ, "no_proxy") or ""):
        return None
    for name in (f"{origin.scheme}_proxy", "all_proxy"):
        value = _variable(environ, name)
        if value is not None:
            return _with_scheme(value)
    return None


def shown_proxy(proxy: str) -> str:
    """`proxy` without its user name and password."""
    scheme, separator, rest = proxy.partition("://")
    if "@" in scheme:  # it is no URL, and may still hold them
        return rest.rpartition("@")[2]
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    """The environment variable `name`, lowercase before uppercase."""
    value = environ.get(name)
    return environ.get(name.upper()) if value is None else value


def _with_scheme(proxy: str) -> str | None:
    """`proxy` as a URL; an empty one means none."""
    proxy = proxy.strip()
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _excluded(origin: Origin, no_proxy: str) -> bool:
    """Whether `no_proxy` (names, suffixes, addresses, networks; `:port` optional; `*`) covers `origin`."""
    return any(_covers(entry, origin) for entry in no_proxy.lower().replace(",", " ").split())


def _covers(entry: str, origin: Origin) -> bool:
    if entry == "*":
        return True
    name, colon, port = entry.rpartition(":")
    if colon and _PORT.fullmatch(port) and not _is_network(entry):
        if int(port) != origin.port:
            return False
        entry = name
    entry = entry.strip("[]")
    if _is_network(entry):
        return _in_network(origin.host, entry)
    suffix = entry.removeprefix("*").strip(".")
    return bool(suffix) and (origin.host == suffix or origin.host.endswith(f".{suffix}"))


def _is_network(entry: str) -> bool:
    try:
        ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
    return True


def _in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
