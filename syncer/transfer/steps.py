"""The steps of one delivery, each repeated as `attempts` decides, and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from syncer.errors import SyncerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from syncer.attempts import Attempts
    from syncer.transfer.feed import Fed

T = TypeVar("T")


class Steps:
    """Looks and delivers of one delivery."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        self.repeated = 0
        """How many of them had to be tried again, all together."""

    async def step(self, once: Callable[[], Awaitable[T]], content: Fed | None = None) -> T:
        """Do `once`, again if need be; what was wrong with the content, not with the sending of it, decides first.

        Where the content was only let go for the sake of others, nothing has failed that would have to be counted.
        """
        tries = self._attempts.tries()
        while True:
            try:
                return await once()
            except SyncerError as error:
                cause = content.error if content and content.error else error
                if content and content.given_up:
                    raise cause from None
                if not (content and content.let_go):
                    await tries.after(cause)
                self.repeated += 1
