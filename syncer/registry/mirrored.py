"""An origin and its mirrors as one Source: tags from the origin, bytes from whoever serves them best (law 2).

A tag is what the origin says; failing that, what `resolve` allows. Everything else is asked for by digest, so that a
mirror is believed about bytes only, because they are hashed.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from syncer.content.places import Resolution, Stream
from syncer.errors import MirrorUnusable, SyncerError, Unresolved
from syncer.oci.digest import Digest
from syncer.registry import resolving
from syncer.registry.resolving import Answer
from syncer.registry.together import together
from syncer.registry.upstream import in_turn, watched
from syncer.settings.registries import Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from typing import TypeVar

    from syncer.content.places import Place
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.manifest import Index, Manifest
    from syncer.oci.names import Tag
    from syncer.registry.upstream import Branch

    T = TypeVar("T")


class Mirrored:
    """One repository of an origin, and of its mirrors."""

    def __init__(self, place: Place, origin: Branch, mirrors: Sequence[Branch], ways: Sequence[Way]) -> None:
        self.place = place
        self._origin = origin
        self._mirrors = tuple(mirrors)
        self._ways = tuple(ways)

    @property
    def spare(self) -> int:
        """How many more streams could begin now, at mirrors; at the origin where there is no mirror to ask."""
        mirrors = [branch.upstream.spare for branch in self._mirrors if branch.usable]
        return sum(mirrors) if mirrors else self._origin.upstream.spare

    async def tags(self) -> list[Tag]:
        """Every tag, from the origin: what a mirror does not list may exist all the same."""
        try:
            return await self._origin.ask(lambda branch: branch.source.tags())
        except SyncerError as error:
            if resolving.is_final(error) or not self._is_out_of_reach(error):
                raise
            raise Unresolved(
                f"the tags of {self.place} cannot be listed, since only the origin can: {error}",
                hint="name the tags one by one instead of by a glob, or plan where the origin can be reached",
                host=error.host,
            ) from error

    async def resolve(self, name: Tag | Digest) -> Resolution:
        """What `name` means, by the first of the registry's ways that tells."""
        if isinstance(name, Digest):
            return await self._pinned(name)
        asked: dict[Branch, Answer] = {}
        for way in self._ways:
            found = await self._by(way, name, asked)
            if found is not None:
                return Resolution(found, way.value, tuple(answer.said for answer in asked.values()))
        origin = asked.get(self._origin)
        if origin and origin.error and not self._mirrors:
            raise origin.error  # there is nobody else to ask, and it says best what is wrong
        may_settle = self._may_settle(asked)
        raise resolving.unresolved(f"{self.place}:{name}", list(asked.values()), may_settle=may_settle)

    async def manifest(self, d: Descriptor) -> Manifest | Index:
        """The manifest with exactly the digest of `d`, from the first that sends it."""
        return await self._from_anyone(d, frozenset(), lambda branch: branch.source.manifest(d))

    @asynccontextmanager
    async def blob(
        self, d: Descriptor, start: int = 0, stop: int | None = None, avoid: frozenset[str] = frozenset()
    ) -> AsyncIterator[Stream]:
        """Bytes `start` to `stop` (exclusive) of a blob, from the first that begins to send it."""
        async with AsyncExitStack() as stack:

            async def opened(branch: Branch) -> Stream:
                async with AsyncExitStack() as opening:
                    opening.enter_context(branch.upstream.streaming())
                    stream = await opening.enter_async_context(branch.source.blob(d, start, stop, avoid))
                    chunks = await opening.enter_async_context(aclosing(watched(stream, branch.upstream)))
                    await stack.enter_async_context(opening.pop_all())
                return Stream(chunks, stream.host, stream.start)

            yield await self._from_anyone(d, avoid, opened)

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """The manifests whose subject is `digest`, from the origin; a list has no hash that a mirror could be held to.

        Where the origin is out of reach, mirrors with `trust: tags` may say it instead.
        """
        try:
            return await self._origin.ask(lambda branch: branch.source.referrers(digest))
        except SyncerError as error:
            if resolving.is_final(error) or not self._is_out_of_reach(error):
                raise
            return await self._believed_referrers(digest, error)

    def blame(self, host: str, error: SyncerError) -> None:
        """Wrong bytes came from `host`: a mirror is out for this run; an origin decides for itself."""
        for branch in (self._origin, *self._mirrors):
            if branch.upstream.host == host and branch.upstream.is_origin:
                branch.source.blame(host, error)
            elif branch.upstream.host == host:
                branch.upstream.blame(error)

    # what a name means

    async def _pinned(self, digest: Digest) -> Resolution:
        """What a digest is: the origin's HEAD costs no pull; where it has none or is silent, a mirror's will do."""
        failures: list[tuple[str, SyncerError]] = []
        for branch in (*in_turn([self._origin]), *in_turn(self._mirrors)):
            answer = await self._asked(branch, digest)
            if answer.descriptor is not None:
                return Resolution(answer.descriptor, "digest", (answer.said,))
            if answer.error is not None:
                failures.append((answer.host, answer.error))
        raise self._most_telling(digest, failures)

    async def _by(self, way: Way, tag: Tag, asked: dict[Branch, Answer]) -> Descriptor | None:
        """What `tag` means by one way; None if that does not tell. `asked` gets the answers: nobody is asked twice."""
        match way:
            case Way.ORIGIN:
                return await self._by_origin(tag, asked)
            case Way.AGREEMENT:
                await self._ask_all(self._mirrors, tag, asked)
                return resolving.agreed(asked[branch] for branch in self._mirrors if branch in asked)
            case Way.MIRROR:
                return await self._by_believed_mirror(tag, asked)
            case Way.PLAN:
                return None  # a plan pins the digest, and then nobody asks for the tag

    async def _by_origin(self, tag: Tag, asked: dict[Branch, Answer]) -> Descriptor | None:
        answer = asked[self._origin] = await self._asked(self._origin, tag)
        error = answer.error
        if error is not None and (resolving.is_final(error) or not self._is_out_of_reach(error)):
            raise error
        return answer.descriptor

    async def _by_believed_mirror(self, tag: Tag, asked: dict[Branch, Answer]) -> Descriptor | None:
        for branch in self._believed():
            await self._ask_all([branch], tag, asked)
            descriptor = asked[branch].descriptor
            if descriptor is not None:
                return descriptor
        return None

    async def _ask_all(self, branches: Sequence[Branch], tag: Tag, asked: dict[Branch, Answer]) -> None:
        new = [branch for branch in branches if branch not in asked]
        answers = await together([self._asked(branch, tag) for branch in new])
        asked.update(zip(new, answers, strict=True))

    async def _asked(self, branch: Branch, name: Tag | Digest) -> Answer:
        """What one host says; for a mirror that is left alone, why."""
        host, operator = branch.upstream.host, branch.upstream.operator
        if branch.left_alone and not branch.upstream.is_origin:
            return Answer(host, operator, error=MirrorUnusable(f"{host} is not asked: {branch.left_alone}", host=host))
        try:
            resolution = await branch.ask(lambda branch: branch.source.resolve(name))
        except SyncerError as error:
            return Answer(host, operator, error=error)
        return Answer(host, operator, resolution.descriptor)

    def _is_out_of_reach(self, error: SyncerError) -> bool:
        upstream = self._origin.upstream
        shut = upstream.silence is not None or upstream.record.breaker.shut
        return resolving.is_out_of_reach(error, answered=upstream.answered, shut=shut)

    def _may_settle(self, asked: Mapping[Branch, Answer]) -> bool:
        """Whether a mirror that failed, or is left alone, only for now could make the difference."""
        failures = [(branch, answer.error) for branch, answer in asked.items() if answer.error]
        return any(error.transient and branch.usable for branch, error in failures if branch is not self._origin)

    # content by digest

    async def _from_anyone(self, d: Descriptor, avoid: frozenset[str], question: Callable[[Branch], Awaitable[T]]) -> T:
        """The first good answer, each endpoint asked at most once; wrong bytes put a mirror out for the run."""
        failures: list[tuple[str, SyncerError]] = []
        for branch in in_turn((*self._mirrors, self._origin), avoid):
            try:
                return await branch.ask(question)
            except SyncerError as error:
                failures.append((branch.upstream.host, error))
        if not failures and avoid:
            raise MirrorUnusable(f"nobody is left for {d.digest} but {', '.join(sorted(avoid))}")
        raise self._most_telling(d.digest, failures)

    def _most_telling(self, digest: Digest, failures: list[tuple[str, SyncerError]]) -> SyncerError:
        """The error for content that nobody gave; a mirror that lied is out, and asking again does not help there."""
        origin = self._origin.upstream
        liars = [branch.upstream.host for branch in self._mirrors if branch.upstream.lied]
        told = {host: error for host, error in failures if host not in liars}
        own = told.pop(origin.host, None) or origin.silence
        return resolving.most_telling(f"{self.place}@{digest}", own, list(told.values()), liars)

    async def _believed_referrers(self, digest: Digest, error: SyncerError) -> list[Descriptor]:
        for branch in in_turn(self._believed()):
            try:
                return await branch.ask(lambda branch: branch.source.referrers(digest))
            except SyncerError as exc:
                error.add_note(f"and {branch.upstream.host}: {exc}")
        error.hint = "leave out `referrers`, or write `trust: tags` for a mirror that you believe about them"
        raise error

    def _believed(self) -> list[Branch]:
        return [branch for branch in self._mirrors if branch.upstream.says_tags]
