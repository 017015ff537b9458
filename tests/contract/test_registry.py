"""What every Registry promises."""

from __future__ import annotations

from builders import image

from syncer.content.memory import Bytes
from syncer.content.places import Place
from syncer.oci.names import Tag

APP = image(b"layer")


async def fill(target, tag):
    for d in APP.root.blobs:
        await target.put_blob(d, Bytes(APP.blobs[d.digest]))
    await target.put_manifest(APP.root, tag)


async def test_a_repository_is_at_its_place(registry, name):
    assert registry.source(name).place == registry.target(name).place == Place(registry.identity, name)


async def test_what_a_target_stores_its_source_reads(registry, name):
    await registry.prepare(name)

    await fill(registry.target(name), Tag("v1"))

    assert (await registry.source(name).resolve(Tag("v1"))).descriptor.digest == APP.digest


async def test_a_repository_that_holds_something_is_listed(registry, name):
    await registry.prepare(name)
    await fill(registry.target(name), Tag("v1"))

    assert name in await registry.repositories()


async def test_a_repository_is_created_at_most_once(registry, name):
    await registry.prepare(name)

    assert not await registry.prepare(name)


async def test_it_says_what_it_cannot_take(registry, name):
    """Every kind here stores empty blobs and says so."""
    empty = image(b"")
    await registry.prepare(name)
    assert registry.traits.empty_blobs

    for d in empty.root.blobs:
        await registry.target(name).put_blob(d, Bytes(empty.blobs[d.digest]))
    await registry.target(name).put_manifest(empty.root)

    assert await registry.target(name).absent([empty.root.descriptor]) == []


async def test_it_can_be_closed(registry):
    await registry.aclose()
