"""The ECR API: one call at a time, in a thread, at the service's pace, with AWS's words translated.

boto3 is synchronous, so a call runs in a thread; botocore repeats nothing (law 5), `attempts` does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from syncer.ecr.failures import translated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from syncer.ecr.pace import Pace

PAGE = 1000  # ListImages and DescribeRepositories: maxResults. Source: ECR API reference
BATCH = 100  # BatchGetImage, BatchCheckLayerAvailability: ids a call; botocore does not check it


class Api:
    """The ECR API of one account and region."""

    def __init__(self, connect: Callable[[], Any], account: str, host: str, pace: Pace) -> None:
        self._connect = connect
        self._account = account
        self._pace = pace
        self.host = host
        """The registry's host: what messages name."""
        self._client: Any = None
        self._connecting = asyncio.Lock()

    async def call(self, action: str, method: str, **parameters: Any) -> Mapping[str, Any]:
        """The answer to one call; raises SyncerError, translated from AWS's own words."""
        client = await self._connected()
        await self.turn(action)
        answer: Mapping[str, Any] = await self._in_thread(action, getattr(client, method), **parameters)
        return answer

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

    async def _connected(self) -> Any:
        async with self._connecting:
            if self._client is None:
                self._client = await self._in_thread("connect", self._connect)
            return self._client

    async def _in_thread(self, action: str, deed: Callable[..., Any], **parameters: Any) -> Any:
        try:
            return await asyncio.to_thread(deed, **parameters)
        except (BotoCoreError, ClientError) as error:
            raise translated(error, action, self.host) from error
