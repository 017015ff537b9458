"""The distribution protocol by hand, for tests that look at a registry from outside; none of our client."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = ", ".join(MANIFEST_TYPES)


@dataclass(frozen=True)
class Seen:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.body).hexdigest()


def basic(name: str, password: str) -> dict[str, str]:
    """The header of a Basic credential."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def session() -> aiohttp.ClientSession:
    """A client that hides nothing: no decompression, no cookies, no second try of its own."""
    client = aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=20),
    )
    client._retry_connection = False
    return client


async def ask(http: aiohttp.ClientSession, method: str, url: str, **options: object) -> Seen:
    """One request, redirects not followed."""
    headers = {"Accept": ACCEPT, **options.pop("headers", {})}
    async with http.request(method, url, headers=headers, allow_redirects=False, **options) as response:
        return Seen(response.status, response.headers, await response.read())


async def push_blob(http: aiohttp.ClientSession, base: str, name: str, data: bytes) -> Seen:
    """POST and PUT."""
    opened = await ask(http, "POST", f"{base}/v2/{name}/blobs/uploads/")
    return await put_upload(http, opened, sha256(data), data)


async def put_upload(http: aiohttp.ClientSession, opened: Seen, digest: str, data: bytes) -> Seen:
    """The PUT that ends the session which `opened` told the Location of."""
    location = opened.headers["Location"]
    return await ask(http, "PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", data=data)


async def push_manifest(http: aiohttp.ClientSession, url: str, raw: bytes, media_type: str) -> Seen:
    """PUT of a manifest; `url` ends with its tag or digest."""
    return await ask(http, "PUT", url, data=raw, headers={"Content-Type": media_type})
