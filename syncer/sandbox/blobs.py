"""Blobs of the sandbox: bytes in memory, or a big gzip layer that is computed while it is read."""

from __future__ import annotations

import gzip
import hashlib
import random
import struct
import tarfile
import zlib
from typing import TYPE_CHECKING, Protocol

from syncer.sandbox.documents import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 64 * 1024


class Blob(Protocol):
    """Bytes with a digest that can be read from anywhere to anywhere."""

    @property
    def digest(self) -> str:
        """Its sha256 digest."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `stop`, in pieces."""


class Bytes:
    """A blob held in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.digest = digest_of(data)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        for at in range(start, stop, PIECE):
            yield self.data[at : min(at + PIECE, stop)]


class BigLayer:
    """A valid gzip'ed tar of at least `size` bytes with one file, made while it is read.

    Deflate's stored blocks (RFC 1951, 3.2.4) have a fixed length, so any offset can be computed.
    """

    _BLOCK = 32 * 1024
    _HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

    def __init__(self, size: int, seed: int = 0) -> None:
        self._count = max(1, -(-size // self._BLOCK))
        self._pattern = random.Random(seed).randbytes(self._BLOCK)
        self.size = len(self._HEADER) + self._count * (5 + self._BLOCK) + 8
        info = tarfile.TarInfo("big.bin")
        info.size = self._count * self._BLOCK - 512 - 1024
        self._tar_header = info.tobuf(tarfile.GNU_FORMAT)
        crc, diff, sha = 0, hashlib.sha256(), hashlib.sha256(self._HEADER)
        for number in range(self._count):
            payload = self._payload(number)
            crc = zlib.crc32(payload, crc)
            diff.update(payload)
            sha.update(self._framed(number, payload))
        self._trailer = struct.pack("<LL", crc, self._count * self._BLOCK % 2**32)
        sha.update(self._trailer)
        self.digest = "sha256:" + sha.hexdigest()
        self.diff_id = "sha256:" + diff.hexdigest()

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        head, stride = len(self._HEADER), 5 + self._BLOCK
        if start < head:
            yield self._HEADER[start:stop]
        first = max(0, start - head) // stride
        for number in range(first, self._count):
            base = head + number * stride
            if base >= stop:
                return
            yield self._framed(number, self._payload(number))[max(0, start - base) : stop - base]
        end = self.size - 8
        if stop > end:
            yield self._trailer[max(0, start - end) : stop - end]

    def _payload(self, number: int) -> bytes:
        """The `number`-th block of the tar: its header first, its two zero blocks last."""
        block = struct.pack("<Q", number) + self._pattern[8:]
        if number == 0:
            block = self._tar_header + block[512:]
        return block[:-1024] + bytes(1024) if number == self._count - 1 else block

    def _framed(self, number: int, payload: bytes) -> bytes:
        last = number == self._count - 1
        return struct.pack("<BHH", last, self._BLOCK, self._BLOCK ^ 0xFFFF) + payload


def gzipped(data: bytes) -> bytes:
    """`data` as gzip, the same bytes whenever it is made."""
    return gzip.compress(data, compresslevel=6, mtime=0)


def zstandard(data: bytes) -> bytes:
    """`data` as a zstd frame of raw blocks (RFC 8878, 3.1.1): valid, though nothing is compressed."""
    frame = [b"\x28\xb5\x2f\xfd", b"\xe0", struct.pack("<Q", len(data))]
    for at in range(0, max(1, len(data)), PIECE):
        piece = data[at : at + PIECE]
        last = at + PIECE >= len(data)
        frame += [struct.pack("<L", last | len(piece) << 3)[:3], piece]
    return b"".join(frame)
