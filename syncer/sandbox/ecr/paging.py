"""Listings in pages: tokens that say nothing, are long, and belong to one listing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class UnknownTokenError(Exception):
    """A token that was not handed out for this listing."""


class Pages:
    """Remembers what is left of each listing under the token that was given for it.

    A token may be used again: a client that repeats a request gets the same page.
    """

    def __init__(self) -> None:
        self._left: dict[str, tuple[str, Sequence[object]]] = {}

    def first(self, listing: str, items: Sequence[T], size: int) -> tuple[Sequence[T], str | None]:
        """The first `size` of `items`, and a token if there are more."""
        if len(items) <= size:
            return items, None
        token = self._token(listing)
        self._left[token] = (listing, items[size:])
        return items[:size], token

    def next(self, listing: str, token: str, size: int) -> tuple[Sequence[object], str | None]:
        """The page that `token` stands for; raises UnknownTokenError if it was not given for `listing`."""
        owner, items = self._left.get(token, ("", ()))
        if owner != listing:
            raise UnknownTokenError(token)
        return self.first(listing, items, size)

    def _token(self, listing: str) -> str:
        return hashlib.sha512(f"{listing} {len(self._left)}".encode()).hexdigest() + "=="


def shuffled(names: Sequence[str]) -> list[str]:
    """`names` in an order that looks like none but is the same each time: ECR's listings are not sorted."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
