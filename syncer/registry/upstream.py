"""What a registry's sources know in common about one origin or mirror: whether, and in which turn, to ask it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from syncer.errors import (
    CorruptContent,
    Denied,
    ProtocolViolation,
    RedirectRefused,
    Silent,
    SyncerError,
    TimedOut,
    Unauthorized,
)
from syncer.registry.hosts import spare
from syncer.settings.registries import Trust

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence

    from syncer.content.places import Source, Stream
    from syncer.registry.hosts import Hosts
    from syncer.settings.registries import Endpoint, MirrorSettings

T = TypeVar("T")

STRIKES = 3  # answers in a row that are none, before a mirror is left alone for the run
_NO_ANSWERS = (ProtocolViolation, RedirectRefused)  # a portal, a parked domain, a login page
_REFUSALS = (Denied, Unauthorized)


class Upstream:
    """An origin or a mirror, for all repositories."""

    def __init__(self, endpoint: Endpoint, hosts: Hosts, mirror: MirrorSettings | None = None) -> None:
        self.host = endpoint.name
        self.record = hosts.of(endpoint.name)
        self._hosts = hosts
        self.is_origin = mirror is None
        self.operator = mirror.operator or endpoint.origin.host if mirror else ""
        self.says_tags = mirror is not None and mirror.trust is Trust.TAGS
        self._in_flight = endpoint.limits.in_flight
        self._streams = 0
        self._strikes = 0
        self._stumbles = 0
        self._contact = asyncio.Lock()
        self._contacted = False
        self.silence: Silent | None = None
        """What it answers without being asked, once it timed out at first contact (law 5)."""
        self.lied = False

    @property
    def usable(self) -> bool:
        """Whether to ask it at all: mirrors that sent wrong bytes are out; an origin speaks for itself."""
        return self.silence is None and (self.is_origin or self.record.blamed is None)

    @property
    def answered(self) -> bool:
        """Whether it ever did in this run."""
        return self.record.answered

    @property
    def resting(self) -> bool:
        """Whether it failed too often lately, or asked everyone to wait."""
        return self._hosts.resting(self.record)

    @property
    def turn(self) -> tuple[bool, bool, float]:
        """The order in which to ask for content: those that fail come last, the origin after its mirrors."""
        failing = self.resting or self._stumbles >= STRIKES
        waiting = self._contact.locked()  # nobody knows yet whether anybody is there
        return failing, self.is_origin, self._stumbles + waiting + self.load / self._in_flight

    @property
    def load(self) -> int:
        """How busy it is: requests, or the streams that it began, since redirects may lead them to another host."""
        return max(self.record.load, self._streams)

    @property
    def spare(self) -> int:
        """How many more streams could begin now without anybody having to wait."""
        failing, _, _ = self.turn
        return 0 if failing else spare(self._in_flight, self.load)

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """A stream of it is open until the block ends."""
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """The answer; of many who ask for the first time one does, and the others wait whether anybody is there."""
        if not self._contacted:
            async with self._contact:
                if not self._contacted:
                    return await self._first(question)
        if self.silence is not None:
            raise Silent(self.silence.message, host=self.host)
        return await question()

    async def _first(self, question: Callable[[], Awaitable[T]]) -> T:
        try:
            answer = await question()
        except SyncerError as error:
            self._contacted = True
            if isinstance(error, TimedOut) and not self._began_to_answer(error):
                self.silence = Silent(f"{error}; it is not asked again in this run", host=self.host)
            raise
        self._contacted = True
        return answer

    def _began_to_answer(self, error: TimedOut) -> bool:
        """Whether somebody is there, and only stopped in the middle; its token service is part of it."""
        return self.record.answered and error.host == self.host

    def blame(self, error: SyncerError) -> None:
        """It sent wrong bytes: leave it alone, and let the report say why."""
        self.lied = True
        self.record.blamed = self.record.blamed or str(error)

    def succeeded(self) -> None:
        """It gave a proper answer."""
        self._strikes = 0

    def stumbled(self) -> None:
        """It began to send a blob and broke off: others are preferred until it sends one to its end."""
        self._stumbles += 1

    def arrived(self) -> None:
        """It sent all that it began to send."""
        self._stumbles = 0

    def struck(self, error: SyncerError) -> None:
        """It gave an answer that is none, or let nobody in; the third such mirror answer in a row is the last."""
        self._strikes += 1
        if self._strikes >= STRIKES and not self.is_origin:
            self.record.blamed = self.record.blamed or f"{STRIKES} times in a row no usable answer, the last: {error}"


@dataclass(slots=True, eq=False)
class Branch:
    """One repository at an upstream."""

    upstream: Upstream
    source: Source
    refused: bool = False  # it lets nobody read this repository

    @property
    def usable(self) -> bool:
        """Whether to ask it."""
        return self.upstream.usable and not self.refused

    @property
    def left_alone(self) -> str:
        """Why it is not asked now, "" if it is: for those who wonder what it says."""
        if self.upstream.silence is not None:
            return str(self.upstream.silence)
        if not self.upstream.usable:
            return f"it is out for this run: {self.upstream.record.blamed}"
        if self.refused:
            return "it lets nobody read this repository"
        return "it rests after failures, or asked for patience" if self.upstream.resting else ""

    async def ask(self, question: Callable[[Branch], Awaitable[T]]) -> T:
        """The answer of this source, and what it teaches about the upstream."""
        try:
            answer = await self.upstream.ask(lambda: question(self))
        except CorruptContent as error:
            if not self.upstream.is_origin:
                self.upstream.blame(error)
            raise
        except _REFUSALS as error:
            self.refused = not self.upstream.is_origin
            self.upstream.struck(error)
            raise
        except _NO_ANSWERS as error:
            self.upstream.struck(error)
            raise
        self.upstream.succeeded()
        return answer


async def watched(stream: Stream, upstream: Upstream) -> AsyncGenerator[bytes, None]:
    """The chunks of `stream`; how it ends is remembered of `upstream`."""
    try:
        async for chunk in stream.chunks:
            yield chunk
    except SyncerError:
        upstream.stumbled()
        raise
    upstream.arrived()


def in_turn(branches: Sequence[Branch], avoid: frozenset[str] = frozenset()) -> list[Branch]:
    """Those of `branches` to ask for content, the best first; among equals the order of the file decides."""
    asked = (branch for branch in branches if branch.usable and branch.upstream.host not in avoid)
    return sorted(asked, key=lambda branch: branch.upstream.turn)
