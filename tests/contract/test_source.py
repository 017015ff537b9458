"""What every Source promises, whatever it is made of."""

from __future__ import annotations

import asyncio

import pytest
from builders import blob, image, two_platforms

from syncer.errors import CorruptContent, MirrorUnusable, NoHonestSource, NotFound
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import Tag

BIG = blob("0123456789abcdef", 300_000)
APP = two_platforms()
NOWHERE = Descriptor("application/octet-stream", Digest.of(b"nowhere"), 7)


async def read(source, d, *span, **more) -> bytes:
    async with source.blob(d, *span, **more) as stream:
        return b"".join([chunk async for chunk in stream.chunks])


def layer(data: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", Digest.of(data), len(data))


async def test_lists_every_tag_once(readable):
    for tag in ("v1", "1.10", "latest"):
        await readable.hold(APP, tag)

    assert sorted(map(str, await readable.source.tags())) == ["1.10", "latest", "v1"]


async def test_a_repository_that_is_not_there_has_no_tags_but_an_error(readable):
    with pytest.raises(NotFound) as raised:
        await readable.source.tags()

    assert raised.value.host in readable.hosts


@pytest.mark.parametrize("what", [APP, image(b"layer", docker=True), image(artifact_type="application/vnd.x")])
async def test_a_tag_means_a_digest_with_its_size_and_type(readable, what):
    await readable.hold(what, "v1")

    resolution = await readable.source.resolve(Tag("v1"))

    d, root = resolution.descriptor, what.root.descriptor
    assert (d.digest, d.size, d.media_type) == (root.digest, root.size, root.media_type)
    assert resolution.by == "origin"
    assert [said.digest for said in resolution.said] == [what.digest]


async def test_a_digest_is_resolved_by_itself(readable):
    await readable.hold(APP)

    resolution = await readable.source.resolve(APP.digest)

    assert (resolution.descriptor.digest, resolution.descriptor.size) == (APP.digest, APP.root.descriptor.size)
    assert resolution.by == "digest"


@pytest.mark.parametrize("missing", [Tag("v2"), Digest.of(b"nowhere")], ids=["tag", "digest"])
async def test_what_is_not_there_is_not_found(readable, missing):
    await readable.hold(APP, "v1")

    with pytest.raises(NotFound):
        await readable.source.resolve(missing)


async def test_manifests_travel_as_their_bytes(readable):
    await readable.hold(APP)

    for node in APP.nodes:
        got = await readable.source.manifest(node.descriptor)
        assert got.raw == node.raw
        assert got == node


async def test_a_manifest_that_is_not_there_is_not_found(readable):
    await readable.hold(APP)

    with pytest.raises(NotFound):
        await readable.source.manifest(NOWHERE)


@pytest.mark.parametrize("span", [(), (0, 1), (1,), (100_000, 200_000), (299_999,), (300_000,)], ids=str)
async def test_any_part_of_a_blob_can_be_read(readable, span):
    await readable.hold(image(BIG))

    assert await read(readable.source, layer(BIG), *span) == BIG[slice(*span) if len(span) == 2 else slice(*span, None)]


async def test_a_stream_says_who_sends_it_and_where_it_begins(readable):
    await readable.hold(image(BIG))

    async with readable.source.blob(layer(BIG), 7) as stream:
        assert stream.host in readable.hosts
        assert stream.start == 7


async def test_parts_of_one_blob_can_be_read_side_by_side(readable):
    await readable.hold(image(BIG))
    spans = [(at, at + 50_000) for at in range(0, 300_000, 50_000)]

    parts = await asyncio.gather(*(read(readable.source, layer(BIG), *span) for span in spans))

    assert b"".join(parts) == BIG


async def test_a_stream_may_be_left_before_its_end(readable):
    await readable.hold(image(BIG))

    async with readable.source.blob(layer(BIG)) as stream:
        assert await anext(stream.chunks)

    assert await read(readable.source, layer(BIG)) == BIG


async def test_a_blob_that_is_not_there_is_not_found(readable):
    await readable.hold(APP)

    with pytest.raises(NotFound):
        await read(readable.source, NOWHERE)


async def test_nobody_who_is_to_be_avoided_is_asked(readable):
    await readable.hold(image(BIG))

    with pytest.raises(MirrorUnusable):
        await read(readable.source, layer(BIG), 0, None, frozenset(readable.hosts))


async def test_who_sent_wrong_bytes_twice_is_asked_no_more(readable):
    await readable.hold(image(BIG))
    for host in 2 * sorted(readable.hosts):
        readable.source.blame(host, CorruptContent("wrong", host=host))

    with pytest.raises(NoHonestSource) as raised:
        await read(readable.source, layer(BIG))

    assert all(host in str(raised.value) for host in readable.hosts)


async def test_referrers_are_those_whose_subject_it_is(readable):
    subject = image(b"layer")
    signature = image(b"signature", artifact_type="application/vnd.example.signature", subject=subject)
    for what in (subject, signature, image(b"stranger")):
        await readable.hold(what)

    (found,) = await readable.source.referrers(subject.digest)

    assert (found.digest, found.artifact_type) == (signature.digest, "application/vnd.example.signature")
    assert await readable.source.referrers(signature.digest) == []


async def test_says_how_many_more_streams_could_begin_and_an_open_one_is_no_longer_spare(readable):
    await readable.hold(image(BIG), "v1")
    free = readable.source.spare
    assert free > 0

    async with readable.source.blob(layer(BIG)) as stream:
        await anext(aiter(stream.chunks))
        assert 0 < readable.source.spare <= free
