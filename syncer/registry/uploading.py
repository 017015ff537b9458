"""How a blob gets into a repository: mounted from another, else sent whole in one PUT. One call is one attempt."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from syncer.content.places import Landed
from syncer.errors import (
    CorruptAtTarget,
    CredentialError,
    NotFound,
    ProtocolViolation,
    RedirectRefused,
    RepositoryMissing,
    RequestRefused,
    SyncerError,
    TimedOut,
    TooManyRequests,
    UploadRefused,
)
from syncer.registry import answers, headers
from syncer.registry.failures import failure, failure_of, refusal_of
from syncer.registry.http import Body
from syncer.registry.routes import Session
from syncer.registry.urls import located, shown_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from syncer.content.places import Content
    from syncer.oci.descriptor import Descriptor
    from syncer.oci.origin import Origin
    from syncer.registry.failures import Refusal
    from syncer.registry.http import Client, Response
    from syncer.registry.kept import Mounts
    from syncer.registry.routes import Routes

_NO_MOUNT_HERE = frozenset({400, 401, 403, 404, 405})  # a mount that is not granted is no failure of the blob


@dataclass(frozen=True, slots=True)
class Uploader:
    """Stores blobs in one repository."""

    client: Client
    routes: Routes
    host: str
    mounts: Mounts
    upload_hosts: tuple[Origin, ...] = ()  # where else the registry may want uploads

    async def has(self, d: Descriptor) -> bool:
        """Whether the blob is there; CorruptAtTarget if it is, with another size."""
        async with self.client.send(self.routes.has_blob(d.digest)) as response:
            if response.status == HTTPStatus.NOT_FOUND:
                return False
            if response.status != HTTPStatus.OK:
                raise await failure_of(response, self._shown(d))
            size = headers.content_length(response)
        if size not in (None, d.size):
            raise CorruptAtTarget(f"{self._shown(d)} has {size} bytes there, not {d.size}", host=self.host)
        return True

    async def put(self, d: Descriptor, content: Content, source: Routes | None) -> Landed:
        """Store a blob, from `source` by mounting if that is possible; in at most one upload session.

        `source` may be this repository: so one POST asks whether the blob is there, and opens a session if it is not.

        Spec: distribution-spec 1.1, "Mounting a blob from another repository" and "POST then PUT".
        """
        if source is not None and source != self.routes and not self.mounts.worth_trying:
            source = None
        sending = _Sending(content)
        try:
            if source is None and content.early:  # its bytes will be needed: let them come while a session is opened
                await sending.begin()
            session = await self._open(d, source)
            if session is None:
                return Landed.PRESENT if source == self.routes else Landed.MOUNTED
            await self._deliver(session, d, sending)
        finally:
            await sending.aclose()
        return Landed.UPLOADED

    async def _open(self, d: Descriptor, source: Routes | None) -> Session | None:
        """An upload session; None where the blob was mounted and needs none."""
        if source is not None:
            mounted, session = await self._mount(d, source)
            if mounted or session:
                return session
        async with self.client.send(self.routes.start_upload()) as response:
            if response.status == HTTPStatus.ACCEPTED:
                return self._session(response)
            error = await failure_of(response, self._shown(d))
            raise RepositoryMissing(error.message, host=self.host) if isinstance(error, NotFound) else error

    async def _mount(self, d: Descriptor, source: Routes) -> tuple[bool, Session | None]:
        """Whether the blob was mounted, and the session that the registry opened instead."""
        try:
            async with self.client.send(self.routes.mount(d.digest, source)) as response:
                if response.status == HTTPStatus.CREATED:
                    self._refuse_other_digest(response, d)
                    self._count(source, granted=True)
                    return True, None
                self._count(source, granted=False)
                if response.status == HTTPStatus.ACCEPTED:
                    return False, self._session(response)
                if response.status not in _NO_MOUNT_HERE:
                    raise await failure_of(response, self._shown(d))
        except TimedOut:
            self._count(source, granted=False)
            raise
        return False, None

    def _count(self, source: Routes, *, granted: bool) -> None:
        """Learn whether this registry mounts; that a repository has not got a blob says nothing about that."""
        if source == self.routes:
            return
        if granted:
            self.mounts.succeeded()
        else:
            self.mounts.refused()

    async def _deliver(self, session: Session, d: Descriptor, sending: _Sending) -> None:
        try:
            await self._send(session, d, Body(d.size, sending.chunks))
        except SyncerError as error:
            if sending.failure is not None:
                raise sending.failure from error
            if not await self._arrived_after(error, d):
                raise

    async def _send(self, session: Session, d: Descriptor, body: Body) -> None:
        async with self.client.send(self.routes.finish_upload(session, d.digest, body)) as response:
            if response.status != HTTPStatus.CREATED:
                raise _upload_failure(await refusal_of(response), self._shown(d), d.size)
            self._refuse_other_digest(response, d)

    async def _arrived_after(self, error: SyncerError, d: Descriptor) -> bool:
        """Whether the blob is there although its PUT failed: the answer may have been lost after the work was done."""
        if isinstance(error, (CredentialError, TooManyRequests)):
            return False
        try:
            return await self.has(d)
        except SyncerError as exc:
            error.add_note(f"and looking whether it arrived failed: {exc}")
            return False

    def _session(self, response: Response) -> Session:
        """Where a new session is: at the registry's own origin, or one that the file names for that."""
        location, request = response.header("Location") or "", response.request
        try:
            origin, target = located(request.origin, request.target, location)
        except ValueError as exc:
            raise ProtocolViolation(f"{self.host} opens an upload nowhere: {exc}", host=self.host) from exc
        if origin != request.origin and (origin not in self.upload_hosts or request.origin.leads_down_to(origin)):
            message = f"{self.host} sends an upload to {self.routes.name} to {shown_url(location)}"
            hint = f"if that place is right, name it in `registries.{self.host}.upload_hosts`; HTTPS never goes to HTTP"
            raise RedirectRefused(message, host=self.host, hint=hint)
        return Session(origin, target)

    def _refuse_other_digest(self, response: Response, d: Descriptor) -> None:
        other = answers.contradicts(response, d.digest)
        if other is not None:
            raise UploadRefused(f"{self.host} stored {d.digest} as {other}", host=self.host)

    def _shown(self, d: Descriptor) -> str:
        return f"blob {d.digest} of {self.routes.name}"


class _Sending:
    """A Content on its way into a request, which remembers why its bytes could not be had."""

    def __init__(self, content: Content) -> None:
        self.failure: SyncerError | None = None
        self._content = content
        self._opened = AsyncExitStack()
        self._begun: AsyncIterator[bytes] | None = None

    async def begin(self) -> None:
        """Open the content now; the first `chunks` takes it from there."""
        self._begun = await self._opened.enter_async_context(self._content.open())

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, from the first: a request may be sent again after its credential was renewed."""
        self.failure = None
        try:
            chunks, self._begun = self._begun, None
            if chunks is None:
                await self.aclose()
                chunks = await self._opened.enter_async_context(self._content.open())
            async for chunk in chunks:
                yield chunk
        except SyncerError as error:
            self.failure = error
            raise

    async def aclose(self) -> None:
        """Let go of the content: whoever feeds it waits for room.

        After a broken request only the garbage collector ends `chunks`.
        """
        await self._opened.aclose()


def _upload_failure(refusal: Refusal, what: str, size: int) -> SyncerError:
    """Why a blob was not taken: its session may be lost, and then a new one does; what is too large stays so."""
    if refusal.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return RequestRefused(f"{what} has {size} bytes: {refusal.says}", host=refusal.host)
    error = failure(refusal, what)
    return UploadRefused(error.message, host=error.host) if isinstance(error, (NotFound, RequestRefused)) else error
