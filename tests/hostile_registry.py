"""A registry that misbehaves in the ways that it is told by name; one method per trick, named after it.

    async with HostileRegistry(["realm-elsewhere", "lying-digest"], elsewhere=thief.origin).running() as registry: ...

The first behaviour that has an answer to a request gives it; what none has an answer to is answered honestly. Every
request is in `asked`, with its headers and its body. It shares no code with the client.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hostile import Server, reply, serving

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Sequence

    from hostile import Asked

OCI = "application/vnd.oci.image"
MANIFEST, INDEX, LAYER = f"{OCI}.manifest.v1+json", f"{OCI}.index.v1+json", f"{OCI}.layer.v1.tar+gzip"
NAME = "team/app"
ESCAPES = "\x1b[31mred\x1b[0m\r\nfake: line\x07\x9b2J\u202eevil"
_PATH = re.compile("/v2/.+?/(manifests|blobs|tags)/(.*)")  # whatever the repository
_CHUNK = b"[" * 65_536


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def described(data: bytes, media_type: str = LAYER, **more: Any) -> dict[str, Any]:
    """A descriptor; `more` are its lies."""
    return {"mediaType": media_type, "digest": sha256(data), "size": len(data)} | more


def manifest(*layers: dict[str, Any], config: bytes = b"{}", **more: Any) -> bytes:
    """An image manifest."""
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described(config, f"{OCI}.config.v1+json")}
    return json.dumps(body | {"layers": list(layers)} | more).encode()


def index(*children: dict[str, Any], **more: Any) -> bytes:
    """An image index."""
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(children)} | more).encode()


def _type_of(raw: bytes) -> str:
    """What `manifest` and `index` wrote first; nothing is parsed here, since some of it is meant to hurt who does."""
    match = re.match(rb'\{"schemaVersion": 2, "mediaType": "([^"]+)"', raw)
    return match[1].decode() if match else MANIFEST


@dataclass
class Endless:
    """An answer whose `head` is followed by `chunk` for ever, or `times` times."""

    head: bytes
    chunk: bytes = _CHUNK
    times: int = 10**9
    pause: float = 0.0

    async def to(self, writer: asyncio.StreamWriter) -> None:
        writer.write(self.head)
        for _ in range(self.times):
            writer.write(self.chunk)
            await writer.drain()
            await asyncio.sleep(self.pause)
        writer.close()


@dataclass
class HostileRegistry:
    """What it holds is honest: the image `root` under the tag `1`, and its blobs by digest."""

    behaviours: Sequence[str] = ()
    elsewhere: Any = "http://127.0.0.1:1"  # where it sends those who ask
    status: int = 307  # of its redirects
    location: str = "{elsewhere}{target}"  # of its redirects, realms and upload sessions
    layer: bytes = b"layer" * 2000
    root: bytes | None = None
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    token: str = "t0ken-of-the-registry"
    empty: bool = False  # it holds nothing yet: a target
    stored: list[bytes] = field(default_factory=list)  # the bodies of blobs that were pushed here
    tags: dict[str, bytes] = field(default_factory=dict)
    server: Server | None = None

    def __post_init__(self) -> None:
        self.root = manifest(described(self.layer)) if self.root is None else self.root
        if not self.empty:
            self.blobs = {sha256(data): data for data in (b"{}", self.layer)} | self.blobs
            self.manifests[sha256(self.root)] = self.tags["1"] = self.root
        self._tricks = [getattr(self, name.replace("-", "_")) for name in self.behaviours]

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[HostileRegistry]:
        """Serve on loopback while the block lasts."""
        async with serving(self.answer, tls) as self.server:
            yield self

    @property
    def origin(self) -> Any:
        return self.server.origin

    @property
    def asked(self) -> list[Asked]:
        return self.server.asked

    @property
    def netloc(self) -> str:
        return self.server.origin.netloc

    async def answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        found = next((said for trick in self._tricks if (said := trick(asked)) is not None), None)
        found = self._honest(asked) if found is None else found
        if asked.method == "HEAD":
            head = found.head if isinstance(found, Endless) else found
            writer.write(head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        elif isinstance(found, Endless):
            await found.to(writer)
        else:
            writer.write(found)

    # what an honest registry does

    def _honest(self, asked: Asked) -> bytes:
        path = asked.target.partition("?")[0]
        match = _PATH.fullmatch(path)
        kind, name = match.groups() if match else ("", "")
        answers: dict[str, Callable[[Asked, str], bytes]] = {
            "manifests": self._manifest,
            "blobs": self._blob,
            "tags": lambda _asked, _name: self._json({"name": NAME, "tags": ["1"]}),
        }
        if path == "/token":
            return self._json({"token": self.token})
        return answers[kind](asked, name) if kind in answers else reply(200 if path == "/v2/" else 404)

    def _manifest(self, asked: Asked, name: str) -> bytes:
        if asked.method == "PUT":
            self.manifests[sha256(asked.body)] = asked.body
            if not name.startswith("sha256:"):
                self.tags[name] = asked.body
            return reply(201)
        raw = self.tags.get(name, self.manifests.get(name))
        return reply(404) if raw is None else self.serve(raw)

    def _blob(self, asked: Asked, name: str) -> bytes:
        if name.startswith("uploads/") and asked.method == "POST":
            return reply(202, Location=f"/v2/{NAME}/blobs/uploads/1")
        if name.startswith("uploads/"):
            self.stored.append(asked.body)
            self.blobs[sha256(asked.body)] = asked.body
            return reply(201)
        data = self.blobs.get(name)
        return reply(404) if data is None else self._whole(data, "application/octet-stream")

    def serve(self, raw: bytes, media_type: str = "", **headers: str) -> bytes:
        """A manifest as an answer, with its type and digest unless `headers` lie."""
        kind = media_type or _type_of(raw)
        return self._whole(raw, kind, **{"Docker_Content_Digest": sha256(raw), **headers})

    def _whole(self, data: bytes, media_type: str, **headers: str) -> bytes:
        return reply(200, data, Content_Type=media_type, **headers)

    def _json(self, value: Any, **headers: str) -> bytes:
        return reply(200, json.dumps(value).encode(), Content_Type="application/json", **headers)

    def _away(self, target: str) -> str:
        netloc = str(self.elsewhere).partition("://")[2]
        return self.location.format(elsewhere=self.elsewhere, netloc=netloc, target=target, here=self.netloc)

    # S1: whom it wants our credential shown to

    def wants_basic(self, asked: Asked) -> bytes | None:
        return None if "authorization" in asked.headers else reply(401, WWW_Authenticate='Basic realm="here"')

    def wants_token(self, asked: Asked) -> bytes | None:
        known = "authorization" in asked.headers or asked.target.startswith("/token")
        return None if known else reply(401, WWW_Authenticate='Bearer realm="/token",service="here"')

    def realm_elsewhere(self, asked: Asked) -> bytes | None:
        if "authorization" in asked.headers:
            return None
        return reply(401, WWW_Authenticate=f'Bearer realm="{self._away("/token")}",service="here"')

    def token_redirects(self, asked: Asked) -> bytes | None:
        return reply(self.status, Location=self._away("/token")) if asked.target.startswith("/token") else None

    # S2, S5, S6: where it sends those who read

    def redirect_blobs(self, asked: Asked) -> bytes | None:
        reads = asked.method in ("GET", "HEAD") and "/blobs/" in asked.target
        return reply(self.status, Location=self._away(asked.target)) if reads else None

    def redirect_manifests(self, asked: Asked) -> bytes | None:
        reads = asked.method in ("GET", "HEAD") and "/manifests/" in asked.target
        return reply(self.status, Location=self._away(asked.target)) if reads else None

    # S3, S4

    def upload_elsewhere(self, asked: Asked) -> bytes | None:
        return reply(202, Location=self._away("/upload")) if asked.method == "POST" else None

    def redirect_uploads(self, asked: Asked) -> bytes | None:
        writes = asked.method in ("POST", "PUT")
        return reply(self.status, Location=self._away(asked.target)) if writes else None

    def link_elsewhere(self, asked: Asked) -> bytes | None:
        if "/tags/list" not in asked.target:
            return None
        return self._json({"tags": ["1"]}, Link=f'<{self._away("/v2/team/app/tags/list?last=1")}>; rel="next"')

    # S10, S16: other bytes than asked for

    def lying_digest(self, asked: Asked) -> bytes | None:
        return self._root(asked, Docker_Content_Digest=sha256(b"another"))

    def lying_body(self, asked: Asked) -> bytes | None:
        return self._root(asked, raw=manifest(described(b"evil")), Docker_Content_Digest=sha256(self.root))

    def lying_twice(self, asked: Asked) -> bytes | None:
        evil = manifest(described(b"evil"))
        by_digest = "/manifests/sha256:" in asked.target
        return self._root(asked, raw=evil, Docker_Content_Digest=sha256(evil)) if by_digest else None

    def lying_blobs(self, asked: Asked) -> bytes | None:
        if asked.method != "GET" or "/blobs/sha256:" not in asked.target:
            return None
        honest = self.blobs.get(asked.target.rpartition("/")[2], b"")
        return reply(200, bytes(byte ^ 1 for byte in honest))

    def gzip_coded(self, asked: Asked) -> bytes | None:
        if asked.method != "GET" or "/blobs/" not in asked.target:
            return None
        return reply(200, gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")

    def _root(self, asked: Asked, raw: bytes = b"", **headers: str) -> bytes | None:
        return self.serve(raw or self.root, **headers) if "/manifests/" in asked.target else None

    # S13, S20: what has no end

    def endless_manifest(self, asked: Asked) -> Endless | None:
        return self._flood(200, MANIFEST) if "/manifests/" in asked.target and asked.method == "GET" else None

    def no_head(self, asked: Asked) -> bytes | None:
        return reply(405) if asked.method == "HEAD" else None

    def endless_token(self, asked: Asked) -> Endless | None:
        return self._flood(200, "application/json") if asked.target.startswith("/token") else None

    def endless_tags(self, asked: Asked) -> Endless | None:
        return self._flood(200, "application/json") if "/tags/list" in asked.target else None

    def endless_error(self, asked: Asked) -> Endless | None:
        return self._flood(403, "application/json") if asked.method == "GET" else None

    def endless_401(self, asked: Asked) -> Endless | None:
        challenge = 'WWW-Authenticate: Bearer realm="/token"\r\n'
        return None if asked.target.startswith("/token") else self._flood(401, "application/json", challenge)

    def endless_blob(self, asked: Asked) -> Endless | None:
        reads = asked.method == "GET" and "/blobs/" in asked.target
        return self._flood(200, "application/octet-stream") if reads else None

    def _flood(self, status: int, media_type: str, more: str = "") -> Endless:
        return Endless(f"HTTP/1.1 {status} Whatever\r\nContent-Type: {media_type}\r\n{more}\r\n".encode())

    def endless_pages(self, asked: Asked) -> bytes | None:
        if "/tags/list" not in asked.target:
            return None
        number = len(self.asked)
        return self._json({"tags": [f"t{number}"]}, Link=f'</v2/{NAME}/tags/list?last={number}>; rel="next"')

    def same_cursor(self, asked: Asked) -> bytes | None:
        if "/tags/list" not in asked.target:
            return None
        return self._json({"tags": ["1"]}, Link=f'</v2/{NAME}/tags/list?last=1>; rel="next"')

    # S19, S28, S29: what it would have us print

    def escapes_in_errors(self, asked: Asked) -> bytes | None:
        body = json.dumps({"errors": [{"code": ESCAPES, "message": ESCAPES * 50, "detail": ESCAPES}]}).encode()
        return reply(403, body, Content_Type="application/json") if "/manifests/" in asked.target else None

    def escapes_in_warnings(self, asked: Asked) -> bytes | None:
        if "/manifests/" not in asked.target:
            return None
        honest = self._honest(asked)
        warning = 'Warning: 299 - "look red\x9b2J\u202eevil"\r\nWarning: 299 - "\u202eevil"\r\n'
        return honest.replace(b"\r\n", b"\r\n" + warning.encode(), 1)

    def says_it_back(self, asked: Asked) -> bytes | None:
        """Repeats all that it was ever sent in the text of a refusal."""
        if "/manifests/" not in asked.target or "authorization" not in asked.headers:
            return None
        heard = {value for one in self.asked for name, value in one.headers.items() if "auth" in name}
        return reply(403, json.dumps({"errors": [{"code": "DENIED", "message": " ".join(sorted(heard))}]}).encode())
