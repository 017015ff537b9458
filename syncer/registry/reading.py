"""The reading half of a repository: resolving, manifests and blobs. One call is one attempt."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from syncer.errors import CorruptContent, MalformedManifest, NotFound, ProtocolViolation, UnsupportedManifest
from syncer.oci import media_types
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.manifest import Index, Manifest, parse_manifest
from syncer.registry import answers, headers
from syncer.registry.failures import failure_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.oci.names import Tag
    from syncer.registry.http import Client, Response
    from syncer.registry.kept import Manifests
    from syncer.registry.routes import Routes

MANIFEST_BYTES = 4 * 1024 * 1024  # docker-registry and ECR refuse more. distribution-spec 1.1, "Pushing Manifests"
LARGE = 256 * 1024  # bytes of JSON that are parsed in a thread: 4 MiB of it take half a second
_NO_HEAD_HERE = frozenset({400, 405, 501})


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one repository at one endpoint."""

    client: Client
    routes: Routes
    host: str  # what messages call the endpoint
    known: Manifests

    async def resolve(self, name: Tag | Digest) -> Descriptor:
        """What `name` means: by HEAD, which costs no pull; by GET where HEAD does not say it.

        The header is a hint that is checked when the bytes are read.
        """
        try:
            seen = await self._look(name)
        except NotFound:
            seen = None  # some answer so to HEAD, and have it for GET
        return seen or (await self.read(name)).descriptor

    async def present(self, name: Tag | Digest) -> Descriptor | None:
        """What `name` means, or None where HEAD says that it is not there: what is missing is the usual case here."""
        try:
            return await self._look(name) or (await self.read(name)).descriptor
        except NotFound:
            return None

    async def _look(self, name: Tag | Digest) -> Descriptor | None:
        """What HEAD says that `name` means; None where it says too little."""
        async with self.client.send(self.routes.manifest(name, "HEAD")) as response:
            if response.status in _NO_HEAD_HERE:
                return None
            if response.status != HTTPStatus.OK:
                raise await failure_of(response, self._shown(name))
            return self._described(response, name)

    async def read(self, name: Tag | Digest, expected: str | None = None) -> Manifest | Index:
        """The manifest that `name` means now; its bytes are hashed before they are parsed.

        `expected` is the media type for a body that names none and is served as something general.
        """
        async with self.client.send(self.routes.manifest(name)) as response:
            if response.status != HTTPStatus.OK:
                raise await failure_of(response, self._shown(name))
            self._refuse_page(response, self._shown(name))
            raw = await response.read(MANIFEST_BYTES)
            self._refuse_other_bytes(response, raw, name)
            served = answers.media_type(response)
        declared = served if media_types.names_manifest(served) else expected
        if len(raw) > LARGE:
            manifest = await asyncio.to_thread(self._parsed, raw, declared, name)
        else:
            manifest = self._parsed(raw, declared, name)
        self.known.keep(manifest)
        return manifest

    async def manifest(self, d: Descriptor) -> Manifest | Index:
        """The manifest with exactly the digest of `d`, from memory if it was read before."""
        manifest = await self.known.get_or_read(d.digest, lambda: self.read(d.digest, d.media_type))
        found = manifest.descriptor
        if found.size != d.size:
            raise MalformedManifest(f"{d.digest} has {found.size} bytes, not the {d.size} that are said to be in it")
        if media_types.names_manifest(d.media_type) and media_types.is_index(d.media_type) != isinstance(
            manifest, Index
        ):
            raise MalformedManifest(f"{d.digest} is {found.media_type}, not the {d.media_type} that it is said to be")
        return manifest

    @asynccontextmanager
    async def blob(
        self, d: Descriptor, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[tuple[AsyncIterator[bytes], int]]:
        """The bytes `start` to `stop` of a blob, and where they really begin: 0 where the range was ignored."""
        async with self.client.send(self.routes.blob(d.digest, start, stop)) as response:
            begin = await self._begin(response, d, start, d.size if stop is None else stop)
            yield response.chunks(), begin

    async def _begin(self, response: Response, d: Descriptor, start: int, stop: int) -> int:
        what = f"blob {d.digest} of {self.routes.name}"
        if response.status == HTTPStatus.OK:
            self._refuse_other_length(response, d.size, what)
            return 0
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            self._refuse_other_range(response, d.size, (start, stop), what)
            return start
        if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # its body may be announced and never come
            raise ProtocolViolation(f"{what}: {self.host} has no bytes {start}-{stop - 1}", host=self.host)
        raise await failure_of(response, what)

    def _refuse_other_length(self, response: Response, size: int, what: str) -> None:
        announced = headers.content_length(response)
        if announced is None or announced != size:
            self._refuse_page(response, what)
        if announced not in (None, size):
            raise CorruptContent(f"{what}: {self.host} has {announced} bytes, not {size}", host=self.host)

    def _refuse_other_range(self, response: Response, size: int, wanted: tuple[int, int], what: str) -> None:
        """A part that begins, ends or belongs elsewhere would be put in the wrong place. RFC 9110, 14.4."""
        sent = headers.content_range(response)
        if sent is None or sent.first != wanted[0] or sent.last >= wanted[1] or sent.size not in (None, size):
            got = "a part without its place" if sent is None else f"{sent.first}-{sent.last} of {sent.size}"
            asked = f"{wanted[0]}-{wanted[1] - 1} of {size}"
            raise ProtocolViolation(f"{what}: {self.host} sends {got}, not {asked}", host=self.host)

    def _refuse_page(self, response: Response, what: str) -> None:
        if answers.is_page(response):
            raise ProtocolViolation(f"{what}: {self.host} answers with a web page", host=self.host)

    def _described(self, response: Response, name: Tag | Digest) -> Descriptor | None:
        """What the head of an answer says; for a pinned name that must be the pin."""
        if isinstance(name, Digest):
            self._refuse_contradiction(response, name)
        digest = name if isinstance(name, Digest) else headers.content_digest(response)
        size, media_type = headers.content_length(response), answers.media_type(response)
        if digest is None or not size or not media_types.names_manifest(media_type):
            return None
        return Descriptor(media_type, digest, size)

    def _refuse_other_bytes(self, response: Response, raw: bytes, name: Tag | Digest) -> None:
        """Bytes are what was asked for, and what their own header says. CVE-2025-24882."""
        if isinstance(name, Digest) and Digest.of(raw, name.algorithm) != name:
            raise CorruptContent(f"{self._shown(name)}: {self.host} sent other bytes", host=self.host)
        said = headers.content_digest(response)
        if said is not None:
            self._refuse_contradiction(response, Digest.of(raw, said.algorithm))

    def _refuse_contradiction(self, response: Response, digest: Digest) -> None:
        other = answers.contradicts(response, digest)
        if other is not None:
            raise CorruptContent(f"{self.host} says that {digest} is {other}", host=self.host)

    def _parsed(self, raw: bytes, declared: str | None, name: Tag | Digest) -> Manifest | Index:
        try:
            return parse_manifest(raw, declared, name.algorithm if isinstance(name, Digest) else "sha256")
        except (MalformedManifest, UnsupportedManifest) as error:
            error.host = self.host
            error.add_note(f"{self._shown(name)} at {self.host}")
            raise

    def _shown(self, name: Tag | Digest) -> str:
        return f"{self.routes.name}{'@' if isinstance(name, Digest) else ':'}{name}"
