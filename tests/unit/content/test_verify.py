"""Streams of any length pass whole when they are right, and never to their end when they are not."""

from collections.abc import AsyncIterator, Iterable

import pytest

from syncer.content.verify import verified
from syncer.errors import CorruptContent
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest

CHUNK = 300_007
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 9 * CHUNK + 17)


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
async def test_right_bytes_pass_whole(size: int) -> None:
    data = data_of(size)

    assert b"".join([chunk async for chunk in verified(stream(pieces(data)), described(data), "h")]) == data


@pytest.mark.parametrize("place", [0, 4 * CHUNK, 9 * CHUNK - 1])
async def test_the_last_chunk_of_a_corrupt_blob_is_never_passed_on(place: int) -> None:
    data = bytearray(data_of(9 * CHUNK))
    wanted = described(bytes(data))
    data[place] ^= 1
    passed = verified(stream(pieces(bytes(data))), wanted, "h")

    for chunk in pieces(bytes(data))[:-1]:
        assert await anext(passed) == chunk
    with pytest.raises(CorruptContent, match="other bytes") as error:
        await anext(passed)
    assert error.value.host == "h"


async def endless():
    """What would never end: a reader that takes much more than it was promised has lost its bound."""
    for _ in range(100):
        yield b"x" * 1000
    raise AssertionError("it reads on and on")


async def test_what_is_longer_than_it_may_be_is_not_read_to_its_end() -> None:
    with pytest.raises(CorruptContent, match="sends more than the 1500 bytes") as error:
        async for _ in verified(endless(), described(b"x" * 1500), "h"):
            pass
    assert error.value.host == "h"


async def test_what_is_too_short_is_said_to_be_so() -> None:
    with pytest.raises(CorruptContent, match="sent 3 of the 5 bytes") as error:
        async for _ in verified(stream([b"abc"]), described(b"abcde"), "h"):
            pass
    assert error.value.host == "h"
