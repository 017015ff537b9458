"""The ECR API: one call at a time, in a thread, at the service's pace, with AWS's words translated.

boto3 is synchronous, so a call runs in a thread; botocore repeats nothing (law 5), `attempts` does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from syncer.clock import SystemClock
from syncer.ecr.failures import translated
from syncer.errors import AwsCredentials, Silent, TimedOut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from syncer.clock import Clock
    from syncer.ecr.pace import Pace
    from syncer.errors import SyncerError

PAGE = 1000  # ListImages and DescribeRepositories: maxResults. Source: ECR API reference
BATCH = 100  # BatchGetImage, BatchCheckLayerAvailability: ids a call; botocore does not check it


class Api:
    """The ECR API of one account and region."""

    def __init__(
        self, connect: Callable[[], Any], account: str, host: str, pace: Pace, clock: Clock | None = None
    ) -> None:
        self._connect = connect
        self._account = account
        self._pace = pace
        self._clock = clock or SystemClock()
        self.host = host
        """The registry's host: what messages name."""
        self._client: Any = None
        self._connecting = asyncio.Lock()
        self._contacted = False
        self._closed: SyncerError | None = None  # why it is not asked again in this run (law 5)

    async def call(self, action: str, method: str, **parameters: Any) -> Mapping[str, Any]:
        """The answer to one call; raises SyncerError, translated from AWS's own words."""
        if not self._contacted:
            async with self._connecting:  # the first call goes alone: fifty must not find out one by one
                if not self._contacted:
                    return await self._first(action, method, **parameters)
        if self._closed is not None:
            raise type(self._closed)(self._closed.message, hint=self._closed.hint, host=self.host)
        return await self._called(action, method, **parameters)

    async def turn(self, action: str) -> None:
        """Wait for the turn of `action` under its quota, which /v2/ draws on too."""
        await self._pace.turn(action)

    async def pages(self, action: str, method: str, **parameters: Any) -> AsyncIterator[Mapping[str, Any]]:
        """Every page of a listing."""
        token: dict[str, str] = {}
        while True:
            page = await self.call(action, method, registryId=self._account, maxResults=PAGE, **parameters, **token)
            yield page
            if not page.get("nextToken"):
                return
            token = {"nextToken": page["nextToken"]}

    async def of_repository(self, action: str, method: str, name: str, **parameters: Any) -> Mapping[str, Any]:
        """One call about the repository `name`."""
        return await self.call(action, method, registryId=self._account, repositoryName=name, **parameters)

    async def _first(self, action: str, method: str, **parameters: Any) -> Mapping[str, Any]:
        try:
            return await self._called(action, method, **parameters)
        except TimedOut as error:
            self._closed = Silent(f"{error}; it is not asked again in this run", host=self.host)
            raise
        except AwsCredentials as error:
            self._closed = error
            raise
        finally:
            self._contacted = True

    async def _called(self, action: str, method: str, **parameters: Any) -> Mapping[str, Any]:
        if self._client is None:
            self._client = await self._in_thread("connect", self._connect)
        await self.turn(action)
        answer: Mapping[str, Any] = await self._in_thread(action, getattr(self._client, method), **parameters)
        return answer

    async def _in_thread(self, action: str, deed: Callable[..., Any], **parameters: Any) -> Any:
        try:
            return await asyncio.to_thread(deed, **parameters)
        except (BotoCoreError, ClientError) as error:
            raise translated(error, action, self.host, self._clock.now()) from error
