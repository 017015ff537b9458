"""Where a server is: scheme, host and port, the unit to which credentials are bound."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from syncer.oci.shown import shown

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_IPV6 = re.compile(r"[0-9a-f:]{2,39}")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[0-9]{1,5}")
_NETLOC_END = re.compile(r"[/?#]")
_LONGEST_HOST = 253
_LARGEST_PORT = 65535


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Scheme, host and port. Two URLs share credentials if, and only if, their origins are equal.

    The host is lowercase, without a trailing dot; an IPv6 address is compressed and bears no brackets here.
    """

    scheme: str
    host: str
    port: int

    def __post_init__(self) -> None:
        if self.scheme not in _DEFAULT_PORTS:
            raise ValueError(f"scheme {shown(self.scheme)} is neither https nor http")
        if self.host != canonical_host(self.bracketed):
            raise ValueError(f"host {shown(self.host)} is not in its canonical form")
        check_port(self.port)

    @classmethod
    def parse(cls, text: str, default_scheme: str = "https") -> Origin:
        """The origin of a URL or of a bare `host[:port]`, which then gets `default_scheme`.

        A path is allowed and left out, user names, queries and fragments are refused; ValueError with the reason.
        """
        scheme, separator, rest = text.partition("://")
        if not separator:
            scheme, rest = default_scheme, text
        scheme = scheme.lower()
        netloc, _, path = rest.partition("/")
        _refuse_extras(text, netloc, path)
        host, port = split_host_port(netloc)
        return cls(scheme, host, port if port is not None else _DEFAULT_PORTS.get(scheme, 0))

    @classmethod
    def of_url(cls, url: str) -> Origin:
        """The origin of a full URL that a server named, whatever its path and query; ValueError if it has none."""
        scheme, separator, rest = url.partition("://")
        if not separator:
            raise ValueError(f"{shown(url.partition('?')[0])} is no full URL")
        return cls.parse(f"{scheme}://{_NETLOC_END.split(rest, maxsplit=1)[0]}")

    @property
    def bracketed(self) -> str:
        """The host as it stands in a URL: an IPv6 address in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def netloc(self) -> str:
        """`host` or `host:port`; the scheme's own port is left out."""
        return self.bracketed if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.bracketed}:{self.port}"

    def leads_down_to(self, other: Origin) -> bool:
        """Whether who goes from here to `other` leaves TLS behind."""
        return (self.scheme, other.scheme) == ("https", "http")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"


def split_host_port(netloc: str) -> tuple[str, int | None]:
    """The canonical host and the port, if one is written, of `host[:port]`; ValueError for anything else."""
    host, colon, port = netloc, "", ""
    if not netloc.endswith("]"):
        host, colon, port = netloc.rpartition(":") if ":" in netloc else (netloc, "", "")
    if not colon:
        return canonical_host(host), None
    if not _PORT.fullmatch(port):
        raise ValueError(f"{shown(netloc)} has no valid port: a number from 1 to {_LARGEST_PORT} is wanted")
    check_port(int(port))
    return canonical_host(host), int(port)


def canonical_host(text: str) -> str:
    """`text` in lowercase, and without brackets if it is an IPv6 address, if it is a host; else ValueError.

    Names in other scripts must come in their `xn--` form. Short and octal spellings of IPv4 addresses are refused:
    programs read them differently, so that two of them may mean different servers by one text.
    """
    host = text.lower() if text.isascii() else ""
    if host.startswith("[") and host.endswith("]"):
        return _canonical_ipv6(host[1:-1])
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
        raise ValueError(f"{shown(text)} is no host name")
    if _NUMERIC.fullmatch(host.rpartition(".")[2]):
        return _canonical_ipv4(host)
    return host


def check_port(port: int) -> None:
    """ValueError unless `port` is a TCP port that a server can have."""
    if isinstance(port, bool) or not 1 <= port <= _LARGEST_PORT:
        raise ValueError(f"port {port} is not between 1 and {_LARGEST_PORT}")


def _refuse_extras(text: str, netloc: str, path: str) -> None:
    if "@" in netloc:
        raise ValueError("a user name or password must not stand in an address")  # and is not quoted here
    for mark, what in (("?", "a query"), ("#", "a fragment")):
        if mark in netloc or mark in path:
            raise ValueError(f"{shown(text.partition(mark)[0])} is followed by {what}; an address has none")


def _canonical_ipv4(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError as exc:
        raise ValueError(f"{shown(host)} is no IPv4 address") from exc


def _canonical_ipv6(host: str) -> str:
    try:
        if not _IPV6.fullmatch(host):
            raise ValueError("only hexadecimal groups are allowed")  # noqa: TRY301 -- one message for both refusals
        return ipaddress.IPv6Address(host).compressed
    except ValueError as exc:
        raise ValueError(f"{shown(host)} is no IPv6 address in hexadecimal groups, without a zone") from exc
