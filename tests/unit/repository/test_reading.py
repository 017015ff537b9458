"""Reading from a registry whose headers, bytes and statuses are wrong, one at a time."""

from __future__ import annotations

import json

import pytest
from builders import blob, image, index, two_platforms

from syncer.errors import (
    CorruptContent,
    Denied,
    MalformedManifest,
    MirrorUnusable,
    NotFound,
    ProtocolViolation,
    ServerError,
    UnsupportedManifest,
)
from syncer.oci import media_types
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import Tag
from syncer.registry.reading import LARGE
from syncer.sandbox import actions

V1 = Tag("v1")
APP = two_platforms()
ROOT = APP.root.descriptor
DATA = blob("layer", 700_000)
D = Descriptor("application/octet-stream", Digest.of(DATA), len(DATA))
OTHER = str(Digest.of(b"other"))


async def read(source, *span):
    async with source.blob(D, *span) as stream:
        return stream.start, b"".join([chunk async for chunk in stream.chunks])


async def test_a_tag_costs_one_head(at):
    await at.push(APP, "v1")

    resolution = await at.app.resolve(V1)

    assert (resolution.descriptor.digest, resolution.descriptor.size) == (APP.digest, ROOT.size)
    assert at.requests == ["HEAD manifests"]


@pytest.mark.parametrize(
    "action",
    [
        actions.reply(404),
        actions.reply(405),
        actions.headers({"Docker-Content-Digest": None}),
        actions.headers({"Docker-Content-Digest": "sha256:short"}),
        actions.headers({"Content-Length": "0"}),
        actions.headers({"Content-Type": None}),
        actions.headers({"Content-Type": "text/plain; charset=utf-8"}),
    ],
    ids=["404", "405", "no digest", "bad digest", "no length", "no type", "text"],
)
async def test_where_head_says_too_little_the_bytes_say_it(at, action):
    """F20. The manifest that was read for it is not read again."""
    await at.push(APP, "v1")
    at.fault(action, "HEAD", "manifests")

    resolution = await at.app.resolve(V1)
    await at.app.manifest(resolution.descriptor)

    assert resolution.descriptor.digest == APP.digest
    assert resolution.descriptor.media_type == ROOT.media_type
    assert at.requests == ["HEAD manifests", "GET manifests"]


async def test_what_does_not_exist_costs_a_target_one_request(at):
    await at.push(APP, "v1")

    assert await at.app.current([Tag("v2")]) == {}

    assert at.requests == ["HEAD manifests"]


@pytest.mark.parametrize(("status", "error"), [(403, Denied), (503, ServerError)])
async def test_a_failure_is_not_taken_for_absence(at, status, error):
    await at.push(APP, "v1")
    at.fault(actions.reply(status), "HEAD")

    for question in (at.app.current([V1]), at.app.absent([ROOT]), at.app.missing([D]), at.app.resolve(V1)):
        with pytest.raises(error):
            await question


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_a_header_that_contradicts_the_pin_is_refused(at, method):
    """S10."""
    await at.push(APP, "v1")
    at.fault(actions.headers({"Docker-Content-Digest": OTHER}), method, "manifests")

    with pytest.raises(CorruptContent) as raised:
        await (at.app.resolve(APP.digest) if method == "HEAD" else at.app.manifest(ROOT))

    assert raised.value.host == at.host


async def test_a_header_that_contradicts_the_bytes_of_a_tag_is_refused(at):
    await at.push(APP, "v1")
    at.fault(actions.reply(405), "HEAD")
    at.fault(actions.headers({"Docker-Content-Digest": OTHER}), "GET", "manifests")

    with pytest.raises(CorruptContent):
        await at.app.resolve(V1)


@pytest.mark.parametrize(
    "action",
    [actions.flip(20), actions.replace(image(b"x").root.raw), actions.reserialise(lambda raw: raw + b"\n")],
    ids=["flipped", "other", "rewritten"],
)
async def test_other_bytes_than_the_pin_are_refused_before_they_are_parsed(at, action):
    await at.push(APP, "v1")
    at.fault(action, "GET", "manifests")

    with pytest.raises(CorruptContent):
        await at.app.manifest(ROOT)


async def test_a_manifest_is_read_once_in_a_run(at):
    await at.push(APP, "v1")

    for _ in range(3):
        await at.app.manifest(ROOT)

    assert at.requests == ["GET manifests"]


async def test_a_manifest_that_never_ends_is_cut_off(at):
    """S13."""
    await at.push(APP, "v1")
    at.fault(actions.replace(b"[" * (4 * 1024 * 1024 + 1)), "GET", "manifests")

    with pytest.raises(ProtocolViolation, match="4194304"):
        await at.app.manifest(ROOT)


async def test_a_web_page_is_no_manifest(at):
    at.fault(actions.html())

    with pytest.raises(ProtocolViolation, match="web page"):
        await at.app.resolve(V1)


async def test_a_type_that_contradicts_the_body_is_refused(at):
    """S11."""
    await at.push(APP, "v1")
    at.fault(actions.headers({"Content-Type": media_types.DOCKER_LIST}), "GET", "manifests")

    with pytest.raises(MalformedManifest):
        await at.app.manifest(ROOT)


@pytest.mark.parametrize(
    "said",
    [
        Descriptor(ROOT.media_type, ROOT.digest, ROOT.size + 1),
        Descriptor(media_types.OCI_MANIFEST, ROOT.digest, ROOT.size),
    ],
    ids=["size", "kind"],
)
async def test_a_descriptor_that_describes_something_else_is_refused(at, said):
    await at.push(APP, "v1")

    with pytest.raises(MalformedManifest):
        await at.app.manifest(said)


async def test_schema_1_is_refused_by_name(at):
    raw = json.dumps({"schemaVersion": 1, "name": "app", "tag": "v1", "fsLayers": [], "history": []}).encode()
    at.store.create("team/app").commit(raw, media_types.DOCKER_SCHEMA1_SIGNED, "v1")

    with pytest.raises(UnsupportedManifest):
        await at.app.manifest((await at.app.resolve(V1)).descriptor)


async def test_a_manifest_without_a_type_of_its_own_has_its_parents_word(at):
    raw = json.dumps({"schemaVersion": 2, "config": APP.nodes[0].config.to_json(), "layers": []}).encode()
    await at.push(APP)
    at.store["team/app"].commit(raw, media_types.OCI_MANIFEST)
    at.fault(actions.headers({"Content-Type": "application/json"}), "GET", "manifests")

    d = Descriptor(media_types.DOCKER_MANIFEST, Digest.of(raw), len(raw))

    assert (await at.app.manifest(d)).descriptor == d


async def test_a_large_manifest_is_a_manifest_too(at):
    app = index(*(image(b"%d" % n) for n in range(900)), platforms=["linux/amd64,osver=" + 120 * "1"] * 900)
    assert len(app.root.raw) > LARGE
    repository = at.store.create("team/app")
    for node in app.nodes:
        for data in app.blobs.values() if node is app.nodes[0] else ():
            repository.put_blob(data)
        repository.commit(node.raw, node.descriptor.media_type)

    assert (await at.app.manifest(app.root.descriptor)).raw == app.root.raw


async def test_a_pin_by_another_algorithm_is_checked_by_it(at):
    raw = APP.nodes[0].raw
    await at.push(APP)
    digest = Digest.of(raw, "sha512")
    at.store["team/app"].manifests[str(digest)] = at.store["team/app"].manifests[str(Digest.of(raw))]

    resolution = await at.app.resolve(digest)
    manifest = await at.app.manifest(resolution.descriptor)

    assert resolution.descriptor.digest == manifest.descriptor.digest == digest


@pytest.mark.parametrize("action", [actions.html(), actions.replace(b"short")], ids=["page", "short"])
async def test_a_blob_that_is_announced_with_another_length_is_not_begun(at, action):
    await at.push(image(DATA))
    at.fault(action, "GET", "blobs")

    with pytest.raises((ProtocolViolation, CorruptContent)):
        await read(at.app)


@pytest.mark.parametrize(
    "range_said",
    ["bytes 0-99/700000", "bytes 100-700000/700001", "bytes 100-200/5", "bytes 100-1000/700000", "items 1-2/3", None],
)
async def test_a_part_from_elsewhere_is_not_used(at, range_said):
    await at.push(image(DATA))
    at.fault(actions.headers({"Content-Range": range_said}), "GET", "blobs")

    with pytest.raises(ProtocolViolation):
        await read(at.app, 100, 200)


async def test_where_the_range_is_ignored_the_stream_begins_at_0(at):
    await at.push(image(DATA))
    at.fault(actions.ignore_range(), "GET", "blobs")

    assert await read(at.app, 100, 200) == (0, DATA)


async def test_a_range_that_is_refused_is_told_without_reading_on(at):
    """docker-registry announces a body for its 416 and never sends it."""

    async def refuse(request, proceed):
        made = await proceed(request)
        made.status, made.body = 416, actions.answer(416).body
        made.headers["Content-Length"] = "5"
        return made

    await at.push(image(DATA))
    at.fault(refuse, "GET", "blobs")

    with pytest.raises(ProtocolViolation, match="has no bytes 100-699999"):
        await read(at.app, 100)


async def test_nothing_is_asked_for_behind_the_end(at):
    await at.push(image(DATA))

    assert await read(at.app, len(DATA)) == (len(DATA), b"")

    assert at.requests == []


async def test_a_blob_that_is_gone_is_not_found(at):
    with pytest.raises(NotFound, match="team/app"):
        await read(at.app)


async def test_a_host_to_be_avoided_is_not_asked_for_bytes(at):
    d = Descriptor("application/octet-stream", Digest.of(b"layer"), 5)
    with pytest.raises(MirrorUnusable):
        async with at.app.blob(d, avoid=frozenset({at.host})):
            pass
    assert at.requests == []
