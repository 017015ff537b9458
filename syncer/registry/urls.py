"""Where a server sends us: a Location or realm resolved against the request, kept byte for byte.

A signed URL is valid only as it was written, so nothing here decodes, sorts or normalises.
"""

from __future__ import annotations

import re

from syncer.oci.names import Origin
from syncer.oci.shown import shown

_LONGEST = 8192  # bytes; signed URLs of real CDNs have up to 2 KiB
_PRINTABLE = re.compile(r"[!-~]+")
_ABSOLUTE = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_TARGET = re.compile(r"/[!-\"$-~]*")


def is_target(text: str) -> bool:
    """Whether `text` can stand in a request line: a path, perhaps with a query, in printable ASCII."""
    return _TARGET.fullmatch(text) is not None


def located(origin: Origin, target: str, location: str) -> tuple[Origin, str]:
    """The origin and target that `location` means when `target` was asked at `origin`; the fragment is dropped.

    ValueError for anything but http and https, for user names, backslashes, spaces and control characters.
    Spec: RFC 9110, 10.2.2; RFC 3986, 5.2.
    """
    if len(location) > _LONGEST or not _PRINTABLE.fullmatch(location) or "\\" in location:
        raise ValueError(f"{shown_url(location)} is no usable URL")
    reference = location.partition("#")[0]
    if reference.startswith("//"):
        reference = f"{origin.scheme}:{reference}"
    absolute = _ABSOLUTE.fullmatch(reference)
    if absolute:
        scheme, netloc, rest = absolute.groups()
        return Origin.parse(f"{scheme}://{netloc}"), rest if rest.startswith("/") else f"/{rest}"
    if _SCHEME.match(reference):
        raise ValueError(f"{shown_url(location)} is neither http nor https")
    return origin, _relative(target, reference)


def shown_url(url: str) -> str:
    """`url` for a message: without its query and user name, which may be secrets."""
    scheme, separator, rest = url.partition("?")[0].partition("#")[0].partition("://")
    if "@" in scheme or not separator:  # it is no full URL, and may still hold them
        return shown(f"{scheme}{separator}{rest}".rpartition("@")[2])
    return shown(f"{scheme}{separator}{rest.rpartition('@')[2]}")


def _relative(target: str, reference: str) -> str:
    """`reference`, which has no origin, as a target."""
    path = target.partition("?")[0]
    if not reference:
        return target
    if reference.startswith("/"):
        return reference
    return path + reference if reference.startswith("?") else f"{path.rpartition('/')[0]}/{reference}"
