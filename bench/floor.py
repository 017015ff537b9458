"""The least that any program can do with one image: `python -m bench.floor SOURCE TARGET REPOSITORY TAG [CA]`.

Bytes go straight from one registry to the other and nobody looks at them. What this takes is the registries' own time.
"""

from __future__ import annotations

import json
import ssl
import sys
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection

PIECE = 1 << 20
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class End:
    """One registry, by one connection."""

    def __init__(self, host: str, ca: str | None) -> None:
        trust = ssl.create_default_context(cafile=ca) if ca else None
        self._http = HTTPSConnection(host, context=trust) if trust else HTTPConnection(host)

    def ask(self, method: str, path: str, body: bytes | HTTPResponse | None = None, **headers: str) -> HTTPResponse:
        """The answer, its body not read yet."""
        self._http.blocksize = PIECE
        self._http.request(method, path, body, headers)
        return self._http.getresponse()


def copy(source: End, target: End, repository: str, tag: str) -> int:
    """The status of the last request."""
    with source.ask("GET", f"/v2/{repository}/manifests/{tag}", Accept=MANIFEST) as answer:
        raw = answer.read()
    manifest = json.loads(raw)
    for blob in (manifest["config"], *manifest["layers"]):
        with target.ask("POST", f"/v2/{repository}/blobs/uploads/", b"") as answer:
            answer.read()
            session = "/v2/" + answer.headers["Location"].partition("/v2/")[2]
        head = {"Content-Length": str(blob["size"]), "Content-Type": "application/octet-stream"}
        with source.ask("GET", f"/v2/{repository}/blobs/{blob['digest']}") as bytes_of:
            target.ask("PUT", f"{session}&digest={blob['digest']}", bytes_of, **head).read()
    with target.ask("PUT", f"/v2/{repository}/manifests/{tag}", raw, **{"Content-Type": MANIFEST}) as answer:
        return answer.status


def main() -> int:
    """0 when the image is there."""
    here, there, repository, tag, *ca = sys.argv[1:]
    trusted = ca[0] if ca else None
    status = copy(End(here, trusted), End(there, trusted), repository, tag)
    return 0 if status == 201 else 1  # noqa: PLR2004 - Created


if __name__ == "__main__":
    sys.exit(main())
