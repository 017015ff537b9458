"""One whole read of a blob from its source: resumed where it breaks, checked while it flows."""

from __future__ import annotations

from contextlib import aclosing, nullcontext
from typing import TYPE_CHECKING

from syncer.content.verify import verified
from syncer.errors import CorruptContent, MirrorUnusable, NoHonestSource, ProtocolViolation, SyncerError
from syncer.transfer.ranges import Overtaken, Ranges

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from syncer.attempts import Attempts
    from syncer.content.places import Source, Stream
    from syncer.oci.descriptor import Descriptor
    from syncer.transfer.ranges import Means

PROGRESS = 1024 * 1024  # bytes after which an interrupted read counts its attempts anew


class Reading:
    """The bytes of `d`, the last of them only when all were right; `hosts` says who sent them.

    What `beginning` has is not asked for again, and believed as little as a host. A break is resumed at its offset.
    Wrong bytes are not: whoever wanted them says whom to blame, and starts again. With `means`, a slow connection gets
    company (`ranges`); not where hosts are avoided: then one host is to send it all, so that a liar has a name.
    """

    def __init__(
        self,
        source: Source,
        d: Descriptor,
        attempts: Attempts,
        avoid: frozenset[str] = frozenset(),
        beginning: AsyncGenerator[bytes, None] | None = None,
        *,
        means: Means | None = None,
    ) -> None:
        self._source = source
        self._d = d
        self._avoid = avoid
        self._beginning = beginning
        self.hosts: list[str] = []
        self.kept = 0  # bytes that came from `beginning`
        self._offset = 0  # bytes that were passed on
        self._counted = 0  # as many when attempts were last counted anew
        self._tries = attempts.tries()
        self._moved: Callable[[int, str], None] = lambda _count, _host: None
        spread = means is not None and not avoid and d.size >= means.spreading.smallest
        self._ranges = Ranges(source, d, means, self._came) if means and spread else None
        self._choosy = True  # whether hosts that are bad at ranges are avoided

    async def chunks(self, moved: Callable[[int, str], None]) -> AsyncGenerator[bytes, None]:
        """The bytes as they come; `moved` hears how many came from whom.

        Raises CorruptContent with the host if one alone is to blame for it, and what the last attempt met.
        """
        self._moved = moved
        resumed = self._ordered()
        if self._beginning is not None:
            resumed = self._continued(self._beginning, resumed)
        checked = verified(resumed, self._d, str(self._source.place))
        try:
            async with aclosing(resumed), aclosing(checked):
                async for chunk in checked:
                    yield chunk
        except CorruptContent as error:
            if error.host != str(self._source.place):
                raise
            raise self._named(error) from error
        finally:
            if self._ranges:
                await self._ranges.close()

    def _named(self, error: CorruptContent) -> CorruptContent:
        """The same with the name of the liar; where several sent parts of the whole, nobody can tell."""
        if self.kept:
            return CorruptContent(f"{self.kept} bytes kept on disk, and what followed them, are not {self._d.digest}")
        if len(self.hosts) > 1:
            return CorruptContent(f"{' and '.join(self.hosts)} together sent other bytes than {self._d.digest}")
        if not self.hosts:
            return CorruptContent(f"{self._d.digest} is said to have no bytes, and is not the digest of none")
        host = self.hosts[0]
        return CorruptContent(f"{host} {str(error).removeprefix(f'{error.host} ')}", host=host)

    async def _continued(
        self, beginning: AsyncGenerator[bytes, None], rest: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        async with aclosing(beginning), aclosing(rest):
            async for chunk in beginning:
                self.kept += len(chunk)
                yield chunk
            if self.kept < self._d.size:
                async for chunk in rest:
                    yield chunk

    async def _ordered(self) -> AsyncGenerator[bytes, None]:
        """The bytes behind those that were kept: the ranges that were read ahead, and what lies between them."""
        self._offset = self._counted = self.kept
        while True:
            part = self._ranges.at(self._offset) if self._ranges else None
            if self._ranges and part:
                async with aclosing(self._ranges.taken(part)) as chunks:
                    async for chunk in chunks:
                        self._offset += len(chunk)
                        yield chunk
            else:
                async with aclosing(self._resumed()) as chunks:
                    async for chunk in chunks:
                        yield chunk
            if self._offset >= self._d.size:
                return

    async def _resumed(self) -> AsyncGenerator[bytes, None]:
        """The bytes up to the first range, or to the end, by one request after another where they break."""
        while True:
            start, stop = self._offset, self._edge
            until = None if stop == self._d.size else stop
            try:
                opened = self._source.blob(self._d, start, until, avoid=self._avoided)
                async with opened as stream, aclosing(self._fresh(stream)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except Overtaken:
                continue  # somebody faster sends the rest, and nothing has failed
            except SyncerError as error:
                if self._offset >= min(stop, self._edge):
                    return  # it broke after the last byte
                if not self._nobody_left(error):
                    await self._after(error)
            else:
                self._refuse_short(stream.host, min(stop, self._edge))
                return

    async def _fresh(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        """What `stream` sends that was not had before, up to the first range."""
        known = self._known(stream)
        flow = aclosing(self._ranges.watched(stream, self._offset)) if self._ranges else nullcontext(stream.chunks)
        async with flow as chunks:
            async for chunk in chunks:
                fresh, known = chunk[known:], max(0, known - len(chunk))
                if self._edge < self._d.size:
                    fresh = fresh[: self._edge - self._offset]
                if fresh:
                    self._offset += len(fresh)
                    self._came(len(fresh), stream.host)
                    yield fresh
                if self._offset >= self._edge < self._d.size:
                    return

    @property
    def _edge(self) -> int:
        """Where the stream may end, which changes while it flows."""
        return self._ranges.edge if self._ranges else self._d.size

    @property
    def _avoided(self) -> frozenset[str]:
        return self._avoid | self._ranges.speeds.avoided if self._ranges and self._choosy else self._avoid

    def _came(self, count: int, host: str) -> None:
        if host not in self.hosts:
            self.hosts.append(host)
        self._moved(count, host)

    async def _after(self, error: SyncerError) -> None:
        """Wait until the next attempt is due; who was too slow may be asked again."""
        if self._offset - self._counted >= PROGRESS:
            self._counted = self._offset
            self._tries.progress()
        if self._ranges:
            self._ranges.speeds.pardon()
        await self._tries.after(error)

    def _known(self, stream: Stream) -> int:
        """How many bytes of `stream` were had before: a host that ignores ranges sends them again."""
        ignored = self._ranges and stream.start == 0 < self._offset and self._edge < self._d.size
        if stream.start not in (0, self._offset) or (
            self._ranges and ignored and self._ranges.speeds.sends_whole(stream.host)
        ):
            raise ProtocolViolation(
                f"{stream.host} was asked for {self._d.digest} from byte {self._offset} and began at {stream.start}",
                host=stream.host,
            )
        if stream.host not in self.hosts:
            self.hosts.append(stream.host)
        return self._offset - stream.start

    def _refuse_short(self, host: str, stop: int) -> None:
        """An end without an error, before the end: that host believes that this is the whole blob."""
        if self._offset < stop:
            text = f"{host} sent {self._offset} of the {self._d.size} bytes of {self._d.digest}"
            raise CorruptContent(text, host=host)

    def _nobody_left(self, error: SyncerError) -> bool:
        """Whether only the hosts to avoid could have answered: then they are better than nobody."""
        if not self._avoided or not isinstance(error, MirrorUnusable | NoHonestSource):
            return False
        if self._ranges and self._choosy:
            self._choosy = False
        else:
            self._avoid = frozenset()
        return True
