"""What goes wrong while a source is read: F1, F2, F14, F20 and F22 of the catalogue in README.md."""

import corpus
import pytest
from corpus import MIB
from faultproxy import BEFORE, Rule, answer

from syncer.report.model import Status

LAYER = corpus.layer("pulled", 3 * MIB)
IMAGE = corpus.image([LAYER])
SIZE = len(LAYER.data)
BLOB = f"GET .*{LAYER.digest}"
HALF = SIZE // 2


def pulled(lab, digest: str = LAYER.digest) -> int:
    """Bytes of a layer that the source sent."""
    return sum(each.down for each in lab.near.counted(f"GET .*{digest}") if each.status in (200, 206))


async def copied(lab, *rules: Rule, image=IMAGE, **more) -> None:
    """The image arrives although each of these happens."""
    lab.publish(image)
    lab.faulty(*rules)
    outcome = await lab.outcome(**more)
    assert [rule.fired for rule in rules] == [rule.times for rule in rules]
    assert (outcome.status, lab.stored()) == (Status.COPIED, image.digest), outcome


# F1


async def test_f1_ten_resets_in_one_blob_cost_no_byte_twice(lab):
    layer = corpus.layer("ten resets", 24 * MIB)
    rule = Rule(f"GET .*{layer.digest}", "reset", 2 * MIB, times=10)
    await copied(lab, rule, image=corpus.image([layer]))
    assert pulled(lab, layer.digest) <= 1.01 * len(layer.data)
    assert len(lab.near.counted(f"GET .*{layer.digest}")) == 11


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("at", [BEFORE, 0, SIZE - 1])
async def test_f1_a_blob_may_break_off_anywhere(lab, at, end):
    await copied(lab, Rule(BLOB, end, at))
    assert pulled(lab) <= 1.01 * SIZE


async def test_f1_a_server_that_ignores_ranges_is_read_past_what_is_known(lab):
    ignored = Rule(BLOB, "forget", header="Range")
    await copied(lab, Rule(BLOB, "reset", HALF), ignored)
    assert [each.status for each in lab.near.counted(BLOB)] == [200, 200]


def part(data: bytes, said: str | None, kind: str = "application/octet-stream") -> bytes:
    headers = {"Content_Type": kind, "ETag": '"another"'} | ({"Content_Range": said} if said else {})
    return answer(206, data, **headers)


PARTS = {
    "another range": part(LAYER.data[:HALF], f"bytes 0-{HALF - 1}/{SIZE}"),
    "a later range": part(LAYER.data[HALF + 9 :], f"bytes {HALF + 9}-{SIZE - 1}/{SIZE}"),
    "a part without a place": part(LAYER.data[HALF:], None),
    "several parts": part(b"--x\r\n\r\n" + LAYER.data[HALF:] + b"\r\n--x--", None, "multipart/byteranges; boundary=x"),
    "another size": part(LAYER.data[HALF:], f"bytes {HALF}-{SIZE - 1}/{SIZE + 1}"),
    "a part of something else": part(bytes(SIZE - HALF), f"bytes {HALF}-{SIZE - 1}/{SIZE}"),
    "416": answer(416),
}


@pytest.mark.parametrize("wrong", PARTS)
async def test_f1_what_is_no_continuation_is_not_taken_for_one(lab, wrong):
    await copied(lab, Rule(BLOB, "reset", HALF), Rule(BLOB, "inject", answer=PARTS[wrong]))


@pytest.mark.parametrize("wrong", PARTS)
async def test_f1_a_server_that_never_continues_right_ends_and_leaves_nothing(lab, wrong):
    lab.publish(IMAGE)
    lab.faulty(Rule(BLOB, "reset", HALF), broken := Rule(BLOB, "inject", answer=PARTS[wrong], times=None))
    outcome = await lab.outcome()
    assert broken.fired > 1
    assert (outcome.status, lab.stored()) == (Status.FAILED, None)


# F2


@pytest.mark.parametrize("at", [BEFORE, 0, SIZE - 1])
async def test_f2_a_blob_may_stall_anywhere(lab, at):
    await copied(lab, Rule(BLOB, "stall", at))
    assert pulled(lab) <= 1.01 * SIZE


async def test_f2_a_blob_that_trickles_is_asked_for_again(lab):
    await copied(lab, Rule(BLOB, "throttle", HALF, rate=100))


@pytest.mark.parametrize("match", ["HEAD .*/manifests/v1", "GET .*/manifests/"])
async def test_f2_a_manifest_may_stall(lab, match):
    lab.publish(IMAGE, "v1", "v0")
    lab.faulty(rule := Rule(match, "stall", BEFORE))
    report = await lab.sync("v0", "v1")
    assert rule.fired == 1
    assert {outcome.status for outcome in report.outcomes} == {Status.COPIED}


# F14


async def test_f14_a_tag_that_moves_during_the_copy_is_copied_as_it_was(lab):
    other = corpus.image([corpus.layer("moved")])
    moved = Rule("GET .*/manifests/", "call", then=lambda: lab.publish(other))
    await copied(lab, moved)
    assert corpus.Door(lab.source.host).fetch(lab.repository, "v1").body == other.data


async def test_f14_a_source_that_is_deleted_during_the_copy_fails_and_leaves_no_tag(lab):
    gone = Rule(BLOB, "inject", answer=answer(404, b'{"errors": [{"code": "NAME_UNKNOWN"}]}'), times=None)
    lab.publish(IMAGE)
    lab.faulty(gone)
    outcome = await lab.outcome()
    assert (outcome.status, lab.stored(), gone.fired) == (Status.FAILED, None, 1)
    assert LAYER.digest in outcome.failure.message


# F20


@pytest.mark.parametrize("status", [404, 405, 400, 501])
async def test_f20_a_source_without_head_is_read_by_get(lab, status):
    lab.publish(IMAGE)
    lab.faulty(rule := Rule("HEAD .*/manifests/", "inject", answer=answer(status), times=None))
    assert (await lab.outcome()).status is Status.COPIED
    assert rule.fired
    assert lab.stored() == IMAGE.digest


# F22


@pytest.mark.parametrize("seed", range(3))
async def test_f22_servers_that_close_connections_as_they_like_are_survived(lab, seed):
    """A third of all requests meet a connection that is closed before the answer: the race of a kept connection."""
    lab.near._random.seed(seed)
    lab.far._random.seed(seed + 100)
    image = lab.publish(corpus.platforms("closing", "closing"))
    rules = [Rule("", does, BEFORE, chance=0.15, times=None) for does in ("reset", "close") * 2]
    lab.faulty(*rules[:2])
    lab.faulty(*rules[2:], at_target=True)
    outcome = await lab.outcome(retries=30)
    assert sum(rule.fired for rule in rules) > 3
    assert (outcome.status, lab.stored()) == (Status.COPIED, image.digest), outcome
