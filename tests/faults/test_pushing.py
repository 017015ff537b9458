"""What goes wrong while a target is written: F7, F8, F9, F10, F16 and F23 of the catalogue in README.md."""

import corpus
import pytest
from corpus import MIB
from faultproxy import BEFORE, Rule, answer

from syncer.report.model import Status

LAYER = corpus.layer("pushed", 3 * MIB)
IMAGE = corpus.image([LAYER])
HEX = LAYER.digest.partition(":")[2]
GET = f"GET .*{LAYER.digest}"
PUT = f"PUT .*{HEX}"
POST = f"POST .*{HEX}"
HALF = len(LAYER.data) // 2
GONE = answer(404, b'{"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]}', Content_Type="application/json")


async def copied(lab, *rules: Rule, image=IMAGE, reads: int = 1) -> None:
    """The image arrives although each of these happens at the target, and the source is asked `reads` times."""
    lab.publish(image)
    lab.faulty(*rules, at_target=True)
    outcome = await lab.outcome()
    assert [rule.fired for rule in rules] == [rule.times for rule in rules]
    assert (outcome.status, lab.stored()) == (Status.COPIED, image.digest), outcome
    assert len(lab.near.counted(GET)) == reads


# F7


@pytest.mark.parametrize(
    "lost",
    [
        Rule(PUT, "inject", answer=GONE),
        Rule(PUT, "inject", answer=answer(416)),
        Rule(PUT, "inject", answer=answer(400, b'{"errors": [{"code": "SIZE_INVALID"}]}')),
        Rule(PUT, "reset", 1, up=True),
        Rule(PUT, "reset", HALF, up=True),
        Rule(PUT, "close", HALF, up=True),
        Rule(PUT, "stall", HALF, up=True),
        Rule(PUT, "reset", len(LAYER.data) - 1, up=True),
    ],
    ids=["404", "416", "size", "at 1", "mid", "closed", "stalled", "before the last byte"],
)
async def test_f7_a_session_that_is_lost_is_opened_anew_and_the_source_is_not_read_again(lab, lost):
    await copied(lab, lost)
    assert len(lab.far.counted(PUT)) == 2
    assert len(lab.far.counted(POST)) == 2


async def test_f7_a_session_that_is_lost_every_time_is_a_failure_and_leaves_no_tag(lab):
    lab.publish(IMAGE)
    lab.faulty(lost := Rule(PUT, "inject", answer=GONE, times=None), at_target=True)
    outcome = await lab.outcome()
    assert (outcome.status, lab.stored(), lost.fired) == (Status.FAILED, None, 6)
    assert len(lab.near.counted(GET)) == 1


# F8


@pytest.mark.parametrize("match", [PUT, "PUT .*/manifests/v1", POST])
@pytest.mark.parametrize("end", ["reset", "stall"])
async def test_f8_an_answer_that_is_lost_after_the_work_was_done_is_no_failure(lab, match, end):
    await copied(lab, Rule(match, end, BEFORE))
    again = 2 if match == POST else 1
    assert [len(lab.far.counted(each)) for each in (POST, PUT, "PUT .*/manifests/v1")] == [again, 1, 1]


# F9


async def test_f9_a_blob_that_goes_wrong_on_its_way_up_is_sent_again(lab):
    await copied(lab, wrong := Rule(PUT, "corrupt", HALF, up=True))
    refused, stored = lab.far.counted(PUT)
    assert (refused.status, stored.status, wrong.fired) == (400, 201, 1)


async def test_f9_a_blob_that_always_goes_wrong_on_its_way_up_is_never_stored(lab):
    lab.publish(IMAGE)
    lab.faulty(wrong := Rule(PUT, "corrupt", HALF, up=True, times=None), at_target=True)
    outcome = await lab.outcome()
    assert wrong.fired == 6
    assert (outcome.status, lab.stored()) == (Status.FAILED, None)
    assert not lab.far.counted("PUT .*/manifests/v1")


# F10


async def test_f10_blobs_that_vanished_before_the_manifest_are_looked_for_once_and_it_is_put_again(lab):
    lab.publish(IMAGE)

    def lose() -> None:
        folder = f"docker/registry/v2/repositories/{lab.repository}/_layers/sha256/{HEX}/link"
        (lab.target.storage / folder).unlink()

    lab.faulty(gone := Rule("PUT .*/manifests/v1", "call", then=lose), at_target=True)
    outcome = await lab.outcome()
    assert (gone.fired, outcome.status, lab.stored()) == (1, Status.COPIED, IMAGE.digest), outcome
    assert [each.status for each in lab.far.counted("PUT .*/manifests/v1")] == [400, 201]


async def test_f10_a_manifest_that_is_refused_for_ever_fails_after_one_repair(lab):
    refusal = answer(400, b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN"}]}', Content_Type="application/json")
    lab.publish(IMAGE)
    lab.faulty(rule := Rule("PUT .*/manifests/v1", "inject", answer=refusal, times=None), at_target=True)
    outcome = await lab.outcome()
    assert (outcome.status, lab.stored()) == (Status.FAILED, None)
    assert rule.fired <= 2


# F16


async def test_f16_an_index_whose_third_child_fails_gets_no_tag_and_the_next_run_does_only_that(lab):
    layers = [corpus.layer(f"child {number}") for number in range(5)]
    children = [corpus.image([layer]) for layer in layers]
    index = lab.publish(corpus.index([(child, {}) for child in children]))
    broken = Rule(f"PUT .*{layers[2].digest.partition(':')[2]}", "inject", answer=answer(500), times=None)
    lab.faulty(broken, at_target=True)
    outcome = await lab.outcome()
    assert broken.fired > 1
    assert (outcome.status, lab.stored()) == (Status.FAILED, None)
    assert layers[2].digest in outcome.failure.message
    sent = len(lab.far.passed)
    lab.far.rules.clear()
    assert (await lab.outcome()).status is Status.COPIED
    assert lab.stored() == index.digest
    again = [each for each in lab.far.passed[sent:] if each.method == "PUT" and "/blobs/" in each.target]
    assert [each.up for each in again] == [len(layers[2].data)]


# F23


@pytest.mark.parametrize(
    "granted",
    [
        Rule("POST .*mount=", "inject", answer=answer(404), times=None),
        Rule("POST .*mount=", "inject", answer=answer(405), times=None),
        Rule("POST .*mount=", "stall", BEFORE),
    ],
    ids=["404", "405", "hangs"],
)
async def test_f23_a_mount_that_is_not_granted_is_an_upload(lab, granted):
    lab.publish(IMAGE)
    lab.faulty(granted, at_target=True)
    outcome = await lab.outcome()
    assert granted.fired
    assert (outcome.status, lab.stored()) == (Status.COPIED, IMAGE.digest), outcome
