"""Many things at once, but not too many."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

T = TypeVar("T")


async def for_each(items: Iterable[T], work: Callable[[T], Awaitable[None]], width: int) -> None:
    """Do `work` on every item, at most `width` at a time; the first failure ends all of it.

    Items are taken as they are begun: however many there are, only `width` tasks exist.
    """
    waiting = iter(items)

    async def worker(first: T) -> None:
        await work(first)
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for item in islice(waiting, width):
            group.create_task(worker(item))
