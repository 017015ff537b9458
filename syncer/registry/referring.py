"""What refers to an image: by the referrers API, else by the fallback tag that clients keep."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, cast

from syncer.errors import MalformedManifest, NotFound, ProtocolViolation, RequestRefused
from syncer.oci import media_types
from syncer.oci.manifest import Index, parse_manifest
from syncer.oci.rewrite import as_referrer, fallback_tag, referrers_index
from syncer.registry import paging

if TYPE_CHECKING:
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.digest import Digest
    from syncer.oci.manifest import Manifest
    from syncer.registry.http import Client
    from syncer.registry.naming import Namer
    from syncer.registry.reading import Reader
    from syncer.registry.routes import Routes

MOST_BYTES = 4 * 1024 * 1024  # of a list over all of its pages: more than ten thousand signatures of one image


class Referrers:
    """The lists of referrers in one repository. Spec: distribution-spec 1.1, "Listing Referrers"."""

    def __init__(self, client: Client, routes: Routes, reader: Reader, namer: Namer) -> None:
        self._client = client
        self._routes = routes
        self._reader = reader
        self._namer = namer
        self._has_api = True  # until it turns out otherwise
        self._locks: defaultdict[Digest, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, digest: Digest) -> list[Descriptor]:
        """The manifests whose subject is `digest`; none where neither the API nor the tag says so."""
        listed = await self._by_api(digest)
        return await self._by_tag(digest) if listed is None else listed

    async def note(self, m: Manifest | Index, subject: Digest) -> None:
        """Have `m` listed under the fallback tag of its subject, if the registry keeps no list by itself.

        Within this process nobody else writes that tag meanwhile, so that no entry is lost. Spec: distribution-spec
        1.1, "Referrers Tag Schema".
        """
        async with self._locks[subject]:
            if await self._by_api(subject) is not None:
                return
            listed = await self._by_tag(subject)
            if all(entry.digest != m.descriptor.digest for entry in listed):
                await self._namer.put(referrers_index([*listed, as_referrer(m)]), fallback_tag(subject))

    async def _by_api(self, digest: Digest) -> list[Descriptor] | None:
        """What the API lists; None where there is no such API: 404, 400, 405, a page, or anything but an index."""
        if not self._has_api:
            return None
        found: list[Descriptor] = []
        pages = size = 0
        try:
            async for body in paging.pages(self._client, self._routes.referrers(digest), f"the referrers of {digest}"):
                found.extend(_entries(body))
                pages += 1
                size += len(body)
                if size > MOST_BYTES:
                    said = f"the referrers of {digest} are listed in more than {MOST_BYTES} bytes"
                    raise ProtocolViolation(said, host=self._reader.host)
        except (NotFound, RequestRefused, MalformedManifest):
            if pages:
                raise  # a list that breaks off is not a short list
            self._has_api = False
            return None
        return found

    async def _by_tag(self, digest: Digest) -> list[Descriptor]:
        """What the fallback tag lists. GitLab answers it with the image itself: only an index is a list."""
        try:
            listed = await self._reader.read(fallback_tag(digest))
        except NotFound:
            return []
        return list(listed.manifests) if isinstance(listed, Index) else []


def _entries(body: bytes) -> tuple[Descriptor, ...]:
    return cast("Index", parse_manifest(body, media_types.OCI_INDEX)).manifests  # by that type it is one, or an error
