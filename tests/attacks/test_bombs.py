"""S13, S14, S20: what has no end, or swells when it is read, is cut off; memory stays flat and the run ends soon.

Memory is the most that this process held meanwhile, the servers' share included, by the kernel's own count.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hostile import reply
from hostile_registry import MANIFEST, NAME, HostileRegistry, described, index, manifest, sha256
from victim import AUTH, outcome

from syncer.report.model import Status

MIB = 1024 * 1024
SECONDS = 5


class Memory:
    """How much more this process came to hold at most since `begin`."""

    def begin(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of before. Linux, proc(5)
        self._before = self._held("VmRSS")
        self._began = time.monotonic()

    @property
    def grown(self) -> int:
        return self._held("VmHWM") - self._before

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def _held(self, what: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:"))


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
async def target():
    async with HostileRegistry(empty=True).running() as registry:
        yield registry


async def survived(memory, hostile, target, limit=20, **more):
    """The failure of a bomb that was survived."""
    await outcome(hostile, target, registry={"auth": AUTH}, rule={"source": f"{hostile.netloc}/{NAME}:none"})
    memory.begin()
    ended = await outcome(hostile, target, registry={"auth": AUTH}, **more)

    assert ended.status in (Status.FAILED, Status.BLOCKED)
    assert target.tags == {}
    assert memory.seconds < SECONDS
    assert memory.grown < limit * MIB
    return ended.failure


ENDLESS = {
    "manifest": ["endless-manifest"],
    "manifest of a tag": ["no-head", "endless-manifest"],
    "token": ["wants-token", "endless-token"],
    "error": ["no-head", "endless-error"],
    "401": ["no-head", "endless-401"],
    "blob": ["endless-blob"],
    "tags": ["endless-tags"],
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_an_endless_answer_is_cut_off(memory, target, what):
    rule = {"tags": ["*"]} if what == "tags" else {}
    async with HostileRegistry(ENDLESS[what]).running() as hostile:
        rule |= {"source": f"{hostile.netloc}/{NAME}"} if what == "tags" else {}
        failure = await survived(memory, hostile, target, rule=rule)

    assert failure.host == hostile.netloc
    sent = sum(len(asked.body) for asked in target.asked)
    assert sent <= len(b"layer" * 2000) + 2


FILLER = {
    "empty lists": b"[]",
    "empty objects": b"{}",
    "small numbers": b"1",
    "short texts": b'"ab"',
}


@pytest.mark.parametrize("filler", FILLER)
async def test_four_mebibytes_of_small_values_are_not_unpacked(memory, target, filler):
    part = FILLER[filler] + b","
    root = manifest(described(b"layer" * 2000))[:-1] + b',"x":[' + part * (4_000_000 // len(part)) + b"1]}"
    async with HostileRegistry(root=root).running() as hostile:
        await survived(memory, hostile, target)


class Wide(HostileRegistry):
    """An index of children of one mebibyte each, made when they are asked for."""

    def __post_init__(self):
        super().__post_init__()
        self.served = 0

    def _manifest(self, asked, name):
        self.served += name in CHILDREN
        return self.serve(child(CHILDREN[name])) if name in CHILDREN else super()._manifest(asked, name)


def child(number: int) -> bytes:
    layers = [described(f"{number}-{at}".encode()) for at in range(7000)]
    return manifest(*layers)


CHILDREN: dict[str, int] = {}


async def test_a_thousand_large_manifests_under_one_index_are_not_all_read(memory, target):
    described_children = []
    for number in range(12):
        raw = child(number)
        CHILDREN[sha256(raw)] = number
        described_children.append(described(raw, MANIFEST))
    more = [described(b"%d" % number, MANIFEST, size=len(raw)) for number in range(900)]
    async with Wide(root=index(*described_children, *more)).running() as hostile:
        failure = await survived(memory, hostile, target, limit=120)

    assert "manifests" in failure.message
    assert hostile.served <= 12


async def test_a_list_of_referrers_without_end_is_cut_off(memory, target):
    """Each page is a sound index of a thousand entries, and says that there is another."""
    entries = [described(b"%d" % number, MANIFEST, annotations={"a": "x" * 500}) for number in range(1000)]
    page = index(*entries)

    class Endless(HostileRegistry):
        def pages(self, asked):
            if "/referrers/" not in asked.target:
                return None
            link = f"<{asked.target.partition('?')[0]}?page={len(self.asked)}>; rel=next"
            return reply(200, page, Content_Type=json.loads(page)["mediaType"], Link=link)

    async with Endless(["pages"]).running() as hostile:
        failure = await survived(memory, hostile, target, rule={"referrers": True}, limit=60)

    assert "referrers" in failure.message
    assert sum("/referrers/" in asked.target for asked in hostile.asked) < 20


async def test_a_cursor_that_comes_again_ends_a_list(memory, target):
    async with HostileRegistry(["same-cursor"]).running() as hostile:
        rule = {"source": f"{hostile.netloc}/{NAME}", "tags": ["*"]}
        failure = await survived(memory, hostile, target, rule=rule)

    assert "never ends" in failure.message
    assert sum("/tags/list" in asked.target for asked in hostile.asked) == 2


async def test_an_honest_image_of_eight_mebibytes_lands(target):
    """Else the limits above could be met because nothing is read at all."""
    async with HostileRegistry(layer=bytes(8 * MIB)).running() as honest:
        await outcome(honest, target, rule={"source": f"{honest.netloc}/{NAME}:none"})
        ended = await outcome(honest, target)

    assert ended.status is Status.COPIED
    assert target.tags == {"1": honest.root}
