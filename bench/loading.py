"""Putting a corpus into a registry, by plain HTTP and nothing of the client's."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import TYPE_CHECKING

from bench.corpus import everything
from bench.counts import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.corpus import Images
    from syncer.sandbox.blobs import Blob
    from syncer.sandbox.images import Image

CREATED, ACCEPTED = 201, 202


class Loader:
    """Pushes to the registry at `host` over one connection; a blob is sent once, then mounted."""

    def __init__(self, host: str) -> None:
        self._http = HTTPConnection(host, timeout=120)
        self._homes: dict[str, str] = {}
        self._there: set[tuple[str, str]] = set()

    def load(self, images: Images) -> None:
        """Push all of it, and close the connection."""
        for repository, tags in images.items():
            for tag, root in tags.items():
                for each in everything(root):
                    self._manifest(repository, each, each.digest)
                self._manifest(repository, root, tag)
        self._http.close()

    def _manifest(self, repository: str, image: Image, name: str) -> None:
        if (repository, name) in self._there:
            return
        for blob in image.blobs:
            self._blob(repository, blob)
        path = f"/v2/{repository}/manifests/{name}"
        status, _ = self._ask("PUT", path, [image.raw], **{"Content-Type": image.media_type})
        _expect(CREATED, status, path)
        self._there.add((repository, name))

    def _blob(self, repository: str, blob: Blob) -> None:
        if (repository, blob.digest) in self._there:
            return
        self._there.add((repository, blob.digest))
        home = self._homes.setdefault(blob.digest, repository)
        start = f"/v2/{repository}/blobs/uploads/"
        status, location = self._ask(
            "POST", f"{start}?mount={blob.digest}&from={home}" if home != repository else start
        )
        if status == ACCEPTED:
            session = f"/v2/{location.partition('/v2/')[2]}&digest={blob.digest}"
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
            status, _ = self._ask("PUT", session, blob.chunks(0, blob.size), **headers)
        _expect(CREATED, status, blob.digest)

    def _ask(self, method: str, path: str, body: Iterable[bytes] = (), **headers: str) -> tuple[int, str]:
        data = b"".join(body) if "Content-Length" not in headers else body
        self._http.request(method, path, data, {"User-Agent": OURS, **headers})
        with self._http.getresponse() as response:
            response.read()
            return response.status, response.headers.get("Location", "")


def _expect(wanted: int, status: int, what: str) -> None:
    if status != wanted:
        raise RuntimeError(f"loading the corpus: {status} for {what}")
