"""The registry in memory: its faults are switches, and without them it keeps a registry's promises."""

from __future__ import annotations

import pytest
from builders import blob, hold, image, two_platforms

from syncer.content.memory import Bytes, MemoryRegistry
from syncer.content.places import Landed, Traits
from syncer.content.verify import verified
from syncer.errors import (
    CorruptContent,
    NoHonestSource,
    NotFound,
    RepositoryMissing,
    ServerError,
    TagImmutable,
    Unreachable,
    UploadRefused,
)
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName, Tag

DATA = blob("layer", 200_000)
D = Descriptor("application/octet-stream", Digest.of(DATA), len(DATA))
APP, V1 = image(DATA), Tag("v1")


@pytest.fixture
def registry():
    return MemoryRegistry()


@pytest.fixture
def app(registry):
    return registry.target(RepositoryName("team/app"))


async def read(target, *span):
    async with target.blob(D, *span) as stream:
        return b"".join([chunk async for chunk in verified(stream.chunks, D, stream.host)])


async def test_wrong_bytes_can_be_sent_once_or_always(app):
    hold(app, APP)
    app.corrupt(D.digest, times=1)

    with pytest.raises(CorruptContent):
        await read(app)
    assert await read(app) == DATA

    app.corrupt(D.digest)
    for _ in range(2):
        with pytest.raises(CorruptContent):
            await read(app)


async def test_a_corrupt_manifest_is_never_handed_out(app):
    hold(app, APP)
    app.corrupt(APP.digest)

    for kind in (CorruptContent, CorruptContent, NoHonestSource):
        with pytest.raises(kind):
            await app.manifest(APP.root.descriptor)


async def test_a_stream_can_break_where_it_is_told_to(app):
    hold(app, APP)
    app.cut(D.digest, 70_000)

    async with app.blob(D) as stream:
        got = await anext(stream.chunks) + await anext(stream.chunks)
        with pytest.raises(Unreachable):
            await anext(stream.chunks)

    assert got == DATA[:70_000]
    assert await read(app) == DATA


async def test_a_range_can_be_ignored(app):
    hold(app, APP)
    app.ranges = False

    async with app.blob(D, 1000) as stream:
        assert stream.start == 0


async def test_what_is_lost_is_missing(app):
    hold(app, APP, "v1")

    app.lose(D.digest)
    app.lose(APP.digest)

    assert await app.missing([D]) == [D]
    with pytest.raises(NotFound):
        await app.resolve(V1)


async def test_any_call_can_fail_as_often_as_wanted(app):
    app.fail("put_blob", ServerError("first"), UploadRefused("second"))

    for kind in (ServerError, UploadRefused):
        with pytest.raises(kind):
            await app.put_blob(D, Bytes(DATA))

    assert await app.put_blob(D, Bytes(DATA)) is Landed.UPLOADED
    assert app.called("put_blob") == [D.digest] * 3


async def test_a_test_can_look_before_every_call(app):
    seen = []

    async def look(verb, what):
        seen.append((verb, what))

    app.before = look
    await app.missing([D])

    assert seen == app.calls == [("missing", (D.digest,))]


async def test_immutable_tags_stay(registry, app):
    registry.immutable = True
    hold(app, APP, "v1")
    hold(app, two_platforms())

    await app.put_manifest(APP.root, V1)
    with pytest.raises(TagImmutable):
        await app.put_manifest(two_platforms().root, V1)


async def test_repositories_may_have_to_be_created_first(registry, app):
    registry.must_prepare = True

    with pytest.raises(RepositoryMissing):
        await app.put_blob(D, Bytes(DATA))

    assert await registry.prepare(app.place.repository)
    assert await app.put_blob(D, Bytes(DATA)) is Landed.UPLOADED


async def test_empty_blobs_may_be_refused_as_by_ecr():
    app = MemoryRegistry(traits=Traits(empty_blobs=False)).target(RepositoryName("a"))

    with pytest.raises(UploadRefused):
        await app.put_blob(Descriptor("x/y", Digest.of(b""), 0), Bytes(b""))


async def test_mounts_can_be_switched_off():
    registry = MemoryRegistry(mounts=False)
    base, app = registry.target(RepositoryName("base")), registry.target(RepositoryName("app"))
    hold(base, APP)

    assert await app.put_blob(D, Bytes(DATA), [base.place]) is Landed.UPLOADED
