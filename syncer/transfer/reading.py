"""One whole read of a blob from its source: resumed where it breaks, checked while it flows."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from syncer.content.verify import verified
from syncer.errors import CorruptContent, MirrorUnusable, NoHonestSource, ProtocolViolation, SyncerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from syncer.attempts import Attempts
    from syncer.content.places import Source, Stream
    from syncer.oci.descriptor import Descriptor

PROGRESS = 1024 * 1024  # bytes after which an interrupted read counts its attempts anew


class Reading:
    """The bytes of `d`, the last of them only when all were right; `hosts` says who sent them.

    A break is resumed at its offset. Wrong bytes are not: whoever wanted them says whom to blame, and starts again.
    """

    def __init__(self, source: Source, d: Descriptor, attempts: Attempts, avoid: frozenset[str] = frozenset()) -> None:
        self._source = source
        self._d = d
        self._attempts = attempts
        self._avoid = avoid
        self.hosts: list[str] = []

    async def chunks(self, moved: Callable[[int, str], None]) -> AsyncGenerator[bytes, None]:
        """The bytes as they come; `moved` hears how many came from whom.

        Raises CorruptContent with the host if one alone is to blame for it, and what the last attempt met.
        """
        resumed = self._resumed(moved)
        checked = verified(resumed, self._d, str(self._source.place))
        try:
            async with aclosing(resumed), aclosing(checked):
                async for chunk in checked:
                    yield chunk
        except CorruptContent as error:
            if error.host != str(self._source.place):
                raise
            raise self._named(error) from error

    def _named(self, error: CorruptContent) -> CorruptContent:
        """The same with the name of the liar; where several sent parts of the whole, nobody can tell."""
        if len(self.hosts) > 1:
            return CorruptContent(f"{' and '.join(self.hosts)} together sent other bytes than {self._d.digest}")
        host = self.hosts[0]
        return CorruptContent(f"{host} {str(error).removeprefix(f'{error.host} ')}", host=host)

    async def _resumed(self, moved: Callable[[int, str], None]) -> AsyncGenerator[bytes, None]:
        offset, counted = 0, 0
        tries = self._attempts.tries()
        while True:
            try:
                async with self._source.blob(self._d, start=offset, avoid=self._avoid) as stream:
                    known = self._known(stream, offset)
                    async for chunk in stream.chunks:
                        fresh, known = chunk[known:], max(0, known - len(chunk))
                        if fresh:
                            offset += len(fresh)
                            moved(len(fresh), stream.host)
                            yield fresh
            except SyncerError as error:
                if offset >= self._d.size:
                    return  # it broke after the last byte
                if offset - counted >= PROGRESS:
                    counted = offset
                    tries.progress()
                if not self._nobody_left(error):
                    await tries.after(error)
            else:
                self._refuse_short(stream.host, offset)
                return

    def _known(self, stream: Stream, offset: int) -> int:
        """How many bytes of `stream` were had before: a host that ignores ranges sends them again."""
        if stream.start not in (0, offset):
            raise ProtocolViolation(
                f"{stream.host} was asked for {self._d.digest} from byte {offset} and began at {stream.start}",
                host=stream.host,
            )
        if stream.host not in self.hosts:
            self.hosts.append(stream.host)
        return offset - stream.start

    def _refuse_short(self, host: str, offset: int) -> None:
        """An end without an error, before the end: that host believes that this is the whole blob."""
        if offset < self._d.size:
            raise CorruptContent(f"{host} sent {offset} of the {self._d.size} bytes of {self._d.digest}", host=host)

    def _nobody_left(self, error: SyncerError) -> bool:
        """Whether only the hosts to avoid could have answered: then they are better than nobody."""
        if not self._avoid or not isinstance(error, MirrorUnusable | NoHonestSource):
            return False
        self._avoid = frozenset()
        return True
