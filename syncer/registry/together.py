"""Many small questions at once, one error out of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from syncer.errors import SyncerError, leaves

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

T = TypeVar("T")


async def together(questions: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The answers in order; the first failure ends the others, and a bug is never hidden behind a SyncerError."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(question) for question in questions]
    except BaseExceptionGroup as failed:
        errors = sorted(leaves(failed), key=lambda error: isinstance(error, SyncerError))
        raise errors[0] from failed
    return [task.result() for task in tasks]
