"""What every Target promises, whatever it is made of."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from builders import blob, image, two_platforms

from syncer.content.memory import Bytes
from syncer.content.places import Landed, Place
from syncer.errors import CorruptContent, ManifestRefused, SyncerError
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName, Tag

V1, V2 = Tag("v1"), Tag("v2")
BIG = blob("0123456789abcdef", 3_000_000)


class Failing:
    """Content whose bytes stop with an error, or that must not be opened at all."""

    def __init__(self, size: int, error: SyncerError, *, early: bool = True) -> None:
        self.size = size
        self.early = early
        self.error = error
        self.opened = 0

    @asynccontextmanager
    async def open(self):
        self.opened += 1

        async def chunks():
            yield b"x" * (self.size // 2)
            raise self.error

        yield chunks()


def described(data: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", Digest.of(data), len(data))


async def put(target, what, tag=None):
    for node in what.nodes:
        for d in getattr(node, "blobs", ()):
            await target.put_blob(d, Bytes(what.blobs[d.digest]))
        await target.put_manifest(node, tag if node is what.root else None)


@pytest.mark.parametrize("data", [b"x", BIG], ids=len)
async def test_a_blob_that_was_put_is_there(target, data):
    assert await target.missing([described(data)]) == [described(data)]

    assert await target.put_blob(described(data), Bytes(data)) is Landed.UPLOADED

    assert await target.missing([described(data)]) == []


async def test_a_blob_may_be_put_again(target):
    for _ in range(2):
        await target.put_blob(described(b"layer"), Bytes(b"layer"))

    assert await target.missing([described(b"layer")]) == []


async def test_only_missing_blobs_are_missing_in_the_order_asked(target):
    await target.put_blob(described(b"b"), Bytes(b"b"))

    assert await target.missing([described(data) for data in (b"c", b"b", b"a")]) == [described(b"c"), described(b"a")]


async def test_wrong_bytes_are_never_committed(target):
    """Law 4."""
    with pytest.raises(SyncerError):
        await target.put_blob(described(b"right"), Bytes(b"wrong"))

    assert await target.missing([described(b"right")]) == [described(b"right")]


@pytest.mark.parametrize("early", [False, True])
async def test_the_error_of_the_content_is_not_taken_for_one_of_the_target(target, early):
    content = Failing(len(BIG), CorruptContent("the source lies", host="liar.example"), early=early)

    with pytest.raises(CorruptContent) as raised:
        await target.put_blob(described(BIG), content)

    assert raised.value is content.error
    assert await target.missing([described(BIG)]) == [described(BIG)]


async def test_one_blob_may_be_put_many_times_at_once(target):
    await asyncio.gather(*(target.put_blob(described(BIG), Bytes(BIG)) for _ in range(8)))

    assert await target.missing([described(BIG)]) == []


async def test_a_blob_is_mounted_from_another_repository(registry, target):
    other = registry.target(RepositoryName(f"{target.place.repository}-base"))
    await put(other, image(b"base layer"), V1)
    unread = Failing(10, CorruptContent("not to be read"))

    assert await target.put_blob(described(b"base layer"), unread, [other.place]) is Landed.MOUNTED

    assert unread.opened == 0
    assert await target.missing([described(b"base layer")]) == []


async def test_a_blob_that_is_there_is_not_sent_again_if_its_own_place_is_asked_first(target):
    await put(target, image(b"layer"), V1)
    unread = Failing(5, CorruptContent("not to be read"))

    assert await target.put_blob(described(b"layer"), unread, [target.place]) is Landed.PRESENT

    assert unread.opened == 0


async def test_what_cannot_be_mounted_is_uploaded(registry, target):
    places = [Place("elsewhere.example", target.place.repository), Place(registry.identity, RepositoryName("no/such"))]

    assert await target.put_blob(described(b"layer"), Bytes(b"layer"), places) is Landed.UPLOADED

    assert await target.missing([described(b"layer")]) == []


@pytest.mark.parametrize("what", [two_platforms(), two_platforms("docker"), image(b"layer", docker=True)])
async def test_manifests_land_as_their_bytes(target, what):
    """Law 1."""
    await put(target, what, V1)

    assert await target.current([V1]) == {V1: what.digest}
    assert (await target.manifest(what.root.descriptor)).raw == what.root.raw


async def test_a_manifest_whose_blobs_are_missing_is_refused(target):
    """Law 3."""
    with pytest.raises(ManifestRefused):
        await target.put_manifest(image(b"layer").root, V1)

    assert await target.current([V1]) == {}


async def test_an_index_whose_children_are_missing_is_refused(target):
    await put(target, image(b"makes the repository"))

    with pytest.raises(ManifestRefused):
        await target.put_manifest(two_platforms().root, V1)

    assert await target.current([V1]) == {}


async def test_a_manifest_put_by_digest_gets_no_tag(target):
    app = image(b"layer")
    await put(target, app)

    assert await target.absent([app.root.descriptor]) == []
    assert (await target.resolve(app.digest)).descriptor.digest == app.digest
    assert str(V1) not in map(str, (await target.current([V1])))


async def test_current_knows_the_tags_that_exist(target):
    assert await target.current([V1, V2]) == {}

    await put(target, image(b"one"), V1)

    assert await target.current([V2, V1]) == {V1: image(b"one").digest}


async def test_absent_knows_the_manifests_that_do_not(target):
    one, two = image(b"one"), image(b"two")
    await put(target, one)

    assert await target.absent([two.root.descriptor, one.root.descriptor]) == [two.root.descriptor]


async def test_a_tag_can_be_moved(target):
    for layer in (b"one", b"two"):
        await put(target, image(layer), V1)

    assert await target.current([V1]) == {V1: image(b"two").digest}


async def test_a_manifest_may_be_put_again(target):
    for _ in range(2):
        await put(target, two_platforms(), V1)

    assert await target.current([V1]) == {V1: two_platforms().digest}


async def test_every_referrer_is_listed_once_whoever_keeps_the_list(target):
    subject = image(b"layer")
    signatures = [image(kind, artifact_type=f"application/{kind.decode()}", subject=subject) for kind in (b"a", b"b")]
    await put(target, subject, V1)

    for signature in (*signatures, signatures[0]):
        await put(target, signature)

    found = await target.referrers(subject.digest)
    assert sorted((d.digest, d.artifact_type) for d in found) == sorted(
        (each.digest, each.root.artifact_type) for each in signatures
    )


async def test_referrers_that_arrive_together_are_all_listed(target):
    subject = image(b"layer")
    signatures = [image(bytes([65 + n]), artifact_type="application/x", subject=subject) for n in range(6)]
    await put(target, subject)

    await asyncio.gather(*(put(target, signature) for signature in signatures))

    found = {d.digest for d in await target.referrers(subject.digest)}
    assert found == {signature.digest for signature in signatures}
