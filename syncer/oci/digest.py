"""Digests: the name of bytes by their hash."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncer.oci.shown import shown

if TYPE_CHECKING:
    from hashlib import _Hash

_ENCODED = {"sha256": re.compile("[0-9a-f]{64}"), "sha512": re.compile("[0-9a-f]{128}")}


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """`algorithm:encoded`, sha256 or sha512 in lowercase hex, and nothing else: safe in a URL and in a file name.

    Spec: image-spec 1.1, descriptor.md, "Digests".
    """

    algorithm: str
    encoded: str

    def __post_init__(self) -> None:
        grammar = _ENCODED.get(self.algorithm)
        if grammar is None:
            raise ValueError(f"digest algorithm {shown(self.algorithm)} is neither sha256 nor sha512")
        if not grammar.fullmatch(self.encoded):
            wanted = hashlib.new(self.algorithm).digest_size * 2
            raise ValueError(f"{shown(self)} is no {self.algorithm} digest: {wanted} lowercase hex digits are wanted")

    @classmethod
    def parse(cls, text: str) -> Digest:
        """The digest that `text` spells; ValueError for anything else."""
        algorithm, colon, encoded = text.partition(":")
        if not colon:
            raise ValueError(f"{shown(text)} is no digest: it has no algorithm, as in sha256:...")
        return cls(algorithm, encoded)

    @classmethod
    def of(cls, data: bytes, algorithm: str = "sha256") -> Digest:
        """The digest of `data`."""
        return cls(algorithm, hashlib.new(algorithm, data).hexdigest())

    @property
    def short(self) -> str:
        """The first 12 hex digits, for people."""
        return self.encoded[:12]

    def hasher(self) -> _Hash:
        """A fresh hash object of this digest's algorithm, to feed with bytes."""
        return hashlib.new(self.algorithm)

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.encoded}"
