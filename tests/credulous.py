"""A registry that checks nothing and takes everything, kept on disk as docker-registry keeps it.

With it, only the client's order stands between a kill and a tag that names something incomplete. `strike` is called
before each request is done and after it was done, and may do to the client what it likes.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROOT = "docker/registry/v2"
_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs/uploads|blobs)/(?P<rest>.*)")


@dataclass
class Credulous:
    """Where it is, what it has, and what it was asked."""

    storage: Path
    strike: Callable[[int, str], None] = lambda _number, _when: None  # number from 1; "before" or "after"
    host: str = ""
    asked: list[str] = field(default_factory=list)  # "METHOD path STATUS" of each request that was done
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    busy: int = 0  # requests that are being done
    lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self) -> None:
        """Wait until all that has come is done, as it is once nobody asks any more."""
        while self.busy:
            time.sleep(0.01)

    def hold(self, name: str, kind: str, digest: str, data: bytes, tag: str | None = None) -> None:
        """Have `data` in repository `name`: `kind` is `_layers` or `_manifests/revisions`, which may have a tag."""
        _write(self.data(digest), data)
        _write(self.linked(name, kind, digest), digest.encode())
        if tag is not None:
            _write(self.tag(name, tag), digest.encode())

    def linked(self, name: str, kind: str, digest: str) -> Path:
        return self._repository(name) / kind / digest.replace(":", "/") / "link"

    def data(self, digest: str) -> Path:
        algorithm, _, encoded = digest.partition(":")
        return self.storage / ROOT / "blobs" / algorithm / encoded[:2] / encoded / "data"

    def tag(self, name: str, tag: str) -> Path:
        return self._repository(name) / "_manifests/tags" / tag / "current/link"

    def _repository(self, name: str) -> Path:
        return self.storage / ROOT / "repositories" / name


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    at: Credulous  # set by `serving`

    def do_any(self) -> None:
        with self.at.lock:
            self.at.busy += 1
        try:
            self._do()
        finally:
            with self.at.lock:
                self.at.busy -= 1

    def _do(self) -> None:
        number = next(self.at.numbers)
        self.at.strike(number, "before")
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # even this one wants to be told to the end
            self.close_connection = True
            return
        url = urlsplit(self.path)
        found = _PATH.fullmatch(url.path)
        deed = getattr(self, f"_{found['kind'].replace('/', '_')}") if found else self._ping
        given = {key: values[0] for key, values in parse_qs(url.query).items()}
        status, headers, answer = deed(found, given, body)
        self.at.asked.append(f"{self.command} {self.path} {status}")
        self.at.strike(number, "after")
        self._answer(status, headers, answer)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_any  # noqa: N815 - http.server's names

    def _ping(self, _found, _given, _body):
        return 200, {}, b"{}"

    def _manifests(self, found, _given, body):
        name, which = found["name"], found["rest"]
        if self.command == "PUT":
            digest = _digest(body)
            self.at.hold(name, "_manifests/revisions", digest, body, None if ":" in which else which)
            return 201, {"Docker-Content-Digest": digest, "Location": self.path}, b""
        link = self.at.linked(name, "_manifests/revisions", which) if ":" in which else self.at.tag(name, which)
        if not link.exists():
            return 404, {}, json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN"}]}).encode()
        raw = self.at.data(link.read_text()).read_bytes()
        return 200, {"Docker-Content-Digest": _digest(raw), "Content-Type": json.loads(raw)["mediaType"]}, raw

    def _blobs(self, found, _given, _body):
        if not self.at.linked(found["name"], "_layers", found["rest"]).exists():
            return 404, {}, b""
        return 200, {"Docker-Content-Digest": found["rest"]}, self.at.data(found["rest"]).read_bytes()

    def _blobs_uploads(self, found, given, body):
        name = found["name"]
        if self.command == "PUT":
            return self._keep(name, given["digest"], body)
        mounted = given.get("mount", "")
        if mounted and self.at.linked(given.get("from", ""), "_layers", mounted).exists():
            return self._keep(name, mounted, self.at.data(mounted).read_bytes())
        return 202, {"Location": f"/v2/{name}/blobs/uploads/session?of=nobody"}, b""

    def _keep(self, name, digest, body):
        """Whatever the bytes are."""
        self.at.hold(name, "_layers", digest, body)
        return 201, {"Docker-Content-Digest": digest, "Location": f"/v2/{name}/blobs/{digest}"}, b""

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing: what was asked is in `asked`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, _request: object, _address: object) -> None:
        """A client that is gone is what this is for."""


@contextmanager
def serving(storage: Path) -> Iterator[Credulous]:
    """One of them, on a free port of 127.0.0.1."""
    at = Credulous(storage)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"at": at}))
    at.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield at
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{threading.get_ident()}")
    draft.write_bytes(data)
    draft.replace(path)
