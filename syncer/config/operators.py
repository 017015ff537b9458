"""Who runs a host, by its name: two mirrors of one operator are one opinion."""

from __future__ import annotations

import ipaddress

_GENERIC = {"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"}
_COUNTRY_CODE = 2


def operator_of(host: str) -> str:
    """The registrable domain of `host` (no port).

    The last two labels, or three where the last two are a generic second level below a country: ustc.edu.cn,
    example.co.uk. No list of public suffixes, which would grow old: where the rule is wrong, the file says `operator:`.
    An address, or a name of one label, is its own operator.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        labels = host.split(".")
    below_country = len(labels[-1]) == _COUNTRY_CODE and len(labels) > 1 and labels[-2] in _GENERIC
    return ".".join(labels[-3:] if below_country else labels[-2:])
