"""Blobs on their way into a registry that loses sessions, answers and connections."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from builders import blob

from syncer.content.memory import Bytes
from syncer.content.places import Landed, Place
from syncer.errors import (
    CorruptAtTarget,
    CorruptContent,
    Denied,
    ProtocolViolation,
    RedirectRefused,
    RepositoryMissing,
    RequestRefused,
    ServerError,
    TimedOut,
    TooManyRequests,
    Unreachable,
    UploadRefused,
)
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName
from syncer.sandbox import actions
from syncer.sandbox.answers import refusal
from syncer.sandbox.server import Server

DATA = blob("layer", 700_000)
D = Descriptor("application/octet-stream", Digest.of(DATA), len(DATA))


async def put(at, *mount_from):
    return await at.app.put_blob(D, Bytes(DATA), mount_from)


async def test_a_new_blob_costs_two_requests(at):
    assert await put(at) is Landed.UPLOADED

    assert at.requests == ["POST uploads", "PUT uploads"]


class Read(Bytes):
    """Content that notes when it was opened and closed."""

    __slots__ = ("early", "events")

    def __init__(self, events: list[str], *, early: bool) -> None:
        super().__init__(DATA)
        object.__setattr__(self, "events", events)
        object.__setattr__(self, "early", early)

    @asynccontextmanager
    async def open(self):
        self.events.append("opened")
        async with Bytes(DATA).open() as chunks:
            yield chunks
        self.events.append("closed")


@pytest.mark.parametrize(("early", "order"), [(True, ["opened", "POST"]), (False, ["POST", "opened"])])
async def test_what_can_be_read_ahead_is_opened_while_the_session_is(at, early, order):
    events: list[str] = []
    at.fault(actions.then(lambda: events.append("POST")), "POST")

    assert await at.app.put_blob(D, Read(events, early=early)) is Landed.UPLOADED

    assert events == [*order, "closed"]


async def test_what_was_read_ahead_is_let_go_when_no_session_is_to_be_had(at):
    events: list[str] = []
    at.fault(actions.reply(503), "POST")

    with pytest.raises(ServerError):
        await at.app.put_blob(D, Read(events, early=True))

    assert events[0] == "opened"
    assert events == ["opened"] * (len(events) // 2) + ["closed"] * (len(events) // 2)


async def test_a_registry_that_stores_it_as_something_else_is_not_believed(at):
    other = Digest.of(b"something else")
    at.fault(actions.reply(201, b"", {"Docker-Content-Digest": str(other)}), "PUT", "uploads")

    with pytest.raises(UploadRefused, match=f"as {other}"):
        await put(at)


async def test_it_is_sent_whole_with_its_length_and_no_range(at):
    await put(at)

    (sent,) = at.server.log.find(method="PUT")
    assert sent.headers["Content-Length"] == str(len(DATA))
    assert not {"Content-Range", "Transfer-Encoding"} & set(sent.headers)


async def test_an_answer_that_is_lost_after_the_work_was_done_is_success(at):
    fault = at.fault(actions.lose_answer(), "PUT")

    assert await put(at) is Landed.UPLOADED

    assert fault.fired == 1
    assert at.requests == ["POST uploads", "PUT uploads", "HEAD blobs"]


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (actions.reply(500), ServerError),
        (actions.reset(), Unreachable),
        (actions.reply(404), UploadRefused),
        (actions.reply(416), UploadRefused),
        (actions.reply(400), UploadRefused),
    ],
    ids=["500", "reset", "session lost", "offset", "400"],
)
async def test_a_put_that_failed_may_be_tried_with_a_new_session(at, action, error):
    at.fault(action, "PUT", times=1)

    with pytest.raises(error) as raised:
        await put(at)

    assert raised.value.transient
    assert await at.app.missing([D]) == [D]
    assert await put(at) is Landed.UPLOADED


async def test_what_is_too_large_stays_too_large(at):
    at.fault(actions.reply(413), "PUT")

    with pytest.raises(RequestRefused, match=str(len(DATA))) as raised:
        await put(at)

    assert not raised.value.transient


@pytest.mark.parametrize(("status", "error"), [(403, Denied), (429, TooManyRequests)])
async def test_who_is_not_let_in_does_not_look_around(at, status, error):
    at.fault(actions.reply(status), "PUT")

    with pytest.raises(error):
        await put(at)

    assert at.requests == ["POST uploads", "PUT uploads"]


async def test_a_repository_that_must_be_created_first_is_missing(at):
    async def unknown(_request, _proceed):
        return refusal(404, "NAME_UNKNOWN", "The repository with name 'team/app' does not exist")

    at.fault(unknown, "POST")

    with pytest.raises(RepositoryMissing, match="does not exist"):
        await put(at)


@pytest.mark.parametrize("location", [None, "ftp://files.example/x", "http://user:pw@127.0.0.1/x"])
async def test_an_upload_that_is_opened_nowhere_is_a_violation(at, location):
    at.fault(actions.headers({"Location": location}), "POST")

    with pytest.raises(ProtocolViolation):
        await put(at)


async def test_no_byte_goes_to_another_origin(at):
    """S3: who names the upload's place must not choose who gets the layer, or the credential."""
    async with Server("elsewhere", at.server.handle) as elsewhere:
        at.fault(actions.headers({"Location": f"{elsewhere.url}/v2/team/app/blobs/uploads/x"}), "POST")

        with pytest.raises(RedirectRefused):
            await put(at)

        assert elsewhere.log.entries == []


async def test_a_relative_location_is_used_as_it_is_written(at):
    seen = []

    async def relative(request, proceed):
        made = await proceed(request)
        path = made.headers["Location"].partition("://")[2].partition("/")[2]
        made.headers["Location"] = f"/{path.partition('?')[0]}?_state=a%2Fb%2B~%3D"
        return made

    async def look(request, proceed):
        seen.append(request.raw_path)
        return await proceed(request)

    at.fault(relative, "POST")
    at.fault(look, "PUT")

    assert await put(at) is Landed.UPLOADED
    assert f"?_state=a%2Fb%2B~%3D&digest=sha256%3A{D.digest.encoded}" in seen[0]


async def test_a_registry_that_never_mounts_is_not_asked_for_ever(at):
    at.fault(_no_mount(), "POST")
    other = Place(at.host, RepositoryName("team/base"))

    for n in range(8):
        data = b"%d" % n
        await at.app.put_blob(Descriptor("x/y", Digest.of(data), 1), Bytes(data), [other])

    assert sum("mount" in entry.query for entry in at.server.log.find(method="POST")) == 4
    assert at.server.log.count(method="POST") == 8


def _no_mount():
    async def act(request, proceed):
        return await proceed(request.clone(rel_url=request.path))

    return act


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
async def test_a_mount_that_is_refused_is_an_upload(at, status):
    at.fault(actions.reply(status), "POST", when=lambda request: "mount" in request.query)

    assert await put(at, Place(at.host, RepositoryName("team/base"))) is Landed.UPLOADED


async def test_a_registry_that_fails_at_a_mount_has_failed(at):
    at.fault(actions.reply(500), "POST", when=lambda request: "mount" in request.query)

    with pytest.raises(ServerError):
        await put(at, Place(at.host, RepositoryName("team/base")))
    assert at.requests == ["POST uploads"]


class Corrupt(Bytes):
    """Content that turns out to be wrong while it is sent."""

    __slots__ = ()

    @asynccontextmanager
    async def open(self):
        async def chunks():
            yield self.data[:1000]
            raise CorruptContent("the source sent other bytes", host="source")

        yield chunks()


async def test_content_that_is_wrong_is_not_looked_for_at_the_target(at):
    with pytest.raises(CorruptContent):
        await at.app.put_blob(D, Corrupt(DATA))
    assert "HEAD blobs" not in at.requests


async def test_a_mount_that_hangs_counts_as_refused(at):
    at.fault(actions.hang(), "POST", when=lambda request: "mount" in request.query)
    mounts = at.app._kept.mounts
    before = mounts._refused

    with pytest.raises(TimedOut):
        await put(at, Place(at.host, RepositoryName("team/base")))

    assert mounts._refused == before + 1


async def test_a_blob_of_another_size_is_corrupt_and_not_missing(at):
    """A registry that lost the end of a blob still has its name, and keeps what it has when it is sent again."""
    await put(at)

    with pytest.raises(CorruptAtTarget, match="700000 bytes there, not 700001"):
        await at.app.missing([Descriptor(D.media_type, D.digest, D.size + 1)])


async def test_a_mount_from_its_own_repository_asks_whether_a_blob_is_there(at):
    assert await put(at, at.app.place) is Landed.UPLOADED
    assert at.requests == ["POST uploads", "PUT uploads"]

    at.server.log.clear()
    assert await put(at, at.app.place) is Landed.PRESENT
    assert at.requests == ["POST uploads"]
