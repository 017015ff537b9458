"""What a run remembers about a registry."""

from __future__ import annotations

import asyncio

from builders import image

from syncer.errors import Unreachable
from syncer.registry.kept import REFUSED_MOUNTS, Manifests, Mounts, weight

ONE, TWO, THREE = (image(name).root for name in (b"one", b"two", b"three"))


def test_manifests_are_kept_up_to_a_size_and_the_unused_go_first():
    kept = Manifests(weight(ONE) + weight(TWO))
    kept.keep(ONE)
    kept.keep(TWO)
    kept.get(ONE.descriptor.digest)

    kept.keep(THREE)

    assert [kept.get(m.descriptor.digest) for m in (ONE, TWO, THREE)] == [ONE, None, THREE]


def test_keeping_a_manifest_again_takes_no_room():
    kept = Manifests(weight(ONE) + weight(TWO))
    for manifest in (ONE, ONE, ONE, TWO):
        kept.keep(manifest)

    assert [kept.get(m.descriptor.digest) for m in (ONE, TWO)] == [ONE, TWO]


async def test_what_many_want_at_once_is_read_once():
    kept, reads = Manifests(), 0

    async def read() -> object:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0)
        kept.keep(ONE)
        return ONE

    found = await asyncio.gather(*(kept.get_or_read(ONE.descriptor.digest, read) for _ in range(5)))

    assert (found, reads) == ([ONE] * 5, 1)


async def test_where_the_first_fails_the_others_read_for_themselves():
    kept, reads = Manifests(), 0

    async def read() -> object:
        nonlocal reads
        reads += 1
        first = reads == 1
        await asyncio.sleep(0)
        if first:
            raise Unreachable("no route")
        return ONE

    wanted = (kept.get_or_read(ONE.descriptor.digest, read) for _ in range(3))
    failed, *others = await asyncio.gather(*wanted, return_exceptions=True)

    assert isinstance(failed, Unreachable)
    assert (others, reads) == ([ONE] * 2, 3)


def test_a_registry_that_mounted_once_is_worth_asking_for_good():
    mounts = Mounts()
    mounts.succeeded()
    for _ in range(3 * REFUSED_MOUNTS):
        mounts.refused()

    assert mounts.worth_trying


def test_one_that_never_did_is_not():
    mounts = Mounts()
    for _ in range(REFUSED_MOUNTS):
        assert mounts.worth_trying
        mounts.refused()

    assert not mounts.worth_trying
