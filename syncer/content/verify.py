"""The check that no byte stream may skip (law 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.errors import CorruptContent

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from syncer.oci.descriptor import Descriptor


async def verified(chunks: AsyncIterator[bytes], d: Descriptor, host: str) -> AsyncGenerator[bytes, None]:
    """Pass `chunks` on, the last one only when size and digest of the whole are those of `d`.

    A corrupt blob is so never sent completely: a push of it fails for want of bytes, even where the target would not
    look. Raises CorruptContent, naming `host`.
    """
    hasher, size, held = d.digest.hasher(), 0, b""
    async for chunk in chunks:
        size += len(chunk)
        if size > d.size:
            raise CorruptContent(f"{host} sends more than the {d.size} bytes of {d.digest}", host=host)
        hasher.update(chunk)
        if held:
            yield held
        held = chunk
    if size != d.size:
        raise CorruptContent(f"{host} sent {size} of the {d.size} bytes of {d.digest}", host=host)
    if hasher.hexdigest() != d.digest.encoded:
        raise CorruptContent(f"{host} sent other bytes than {d.digest}", host=host)
    if held:
        yield held
