"""Hashes of long streams are computed beside the event loop, in order, and no farther behind than two portions."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterable

import pytest

from syncer.content.hashing import LONG, Hashing
from syncer.content.verify import verified
from syncer.errors import CorruptContent
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest

SIZES = (0, 1, LONG - 1, LONG, LONG + 1, 3 * LONG + 17)
CHUNK = 300_007


def described(data: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", Digest.of(data), len(data))


def data_of(size: int) -> bytes:
    return bytes(range(251)) * (size // 251) + bytes(size % 251)


def pieces(data: bytes, size: int = CHUNK) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize("size", SIZES)
async def test_it_is_the_hash_of_all_chunks_in_order(size: int) -> None:
    data = data_of(size)
    hashed = Hashing(described(data))
    for chunk in pieces(data):
        await hashed.add(chunk)

    assert await hashed.hexdigest() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("size", SIZES)
async def test_right_bytes_pass_whole(size: int) -> None:
    data = data_of(size)

    assert b"".join([chunk async for chunk in verified(stream(pieces(data)), described(data), "h")]) == data


@pytest.mark.parametrize("place", [0, LONG // 2, 2 * LONG - 1])
async def test_the_last_chunk_of_a_long_corrupt_blob_is_never_passed_on(place: int) -> None:
    data = bytearray(data_of(2 * LONG))
    wanted = described(bytes(data))
    data[place] ^= 1
    passed = verified(stream(pieces(bytes(data))), wanted, "h")

    for chunk in pieces(bytes(data))[:-1]:
        assert await anext(passed) == chunk
    with pytest.raises(CorruptContent, match="other bytes"):
        await anext(passed)


async def test_the_loop_goes_on_while_a_portion_is_hashed() -> None:
    """A chunk of 64 MiB takes some 50 ms to hash: the loop has its turn long before."""
    data = bytes(64 * 1024 * 1024)
    hashed = Hashing(described(data))
    started = time.perf_counter()
    await hashed.add(data)
    handed_over = time.perf_counter() - started
    await hashed.hexdigest()

    assert handed_over < (time.perf_counter() - started) / 2


async def test_a_hash_that_nobody_asks_for_is_let_go() -> None:
    data = bytes(LONG)
    chunks = verified(stream(pieces(data)), described(data), "h")
    await anext(chunks)
    await chunks.aclose()

    assert len(asyncio.all_tasks()) == 1
