"""Which IP addresses a host that only a server named may have: public ones.

Decided on the address that is connected to, not on the text of a URL: a name may resolve to anything.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: Python calls all of it global
_UNICAST = ipaddress.IPv6Network("2000::/3")  # IANA gives public addresses from here only; Python calls more global
_RESERVED: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = (
    ipaddress.IPv4Network("192.0.0.0/24"),  # IETF protocols; 192.0.0.192 is Oracle Cloud's metadata service
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays of 6to4, withdrawn
    ipaddress.IPv4Network("168.63.129.16/32"),  # Azure's own service for its machines
    ipaddress.IPv6Network("3fff::/20"),  # documentation
)
"""What Python 3.11 takes for global."""

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""What getaddrinfo returns: family, type, protocol, canonical name, address."""


class NotPublic(OSError):
    """The address is this machine, a private network or a cloud's metadata service."""


def is_public(address: str) -> bool:
    """Whether `address` is a public unicast address, also when it is IPv4 wrapped into IPv6; not so with a zone."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        inner = _embedded(ip)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _RESERVED)


def public_socket(info: AddressInfo) -> socket.socket:
    """A socket for `info`; NotPublic, before anything is sent, if its address is not public."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise NotPublic("the address is not public")
    return socket.socket(family, kind, protocol)


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address behind a mapped, NAT64 or 6to4 address; Teredo's count as private, whatever is behind them."""
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.sixtofour
