"""The plan as JSON: out and in is the same plan, and nothing else is taken for one."""

import json

import pytest
from builders import image

from syncer.errors import Failure, StalePlan
from syncer.oci.descriptor import Descriptor
from syncer.oci.platform import Platform
from syncer.oci.reference import Reference
from syncer.oci.said import Said
from syncer.plan.model import Copy, Destination, Lost, Plan, Skip, Why
from syncer.plan.schema import dump, load

ROOT = image(b"a").root.descriptor
OTHER = image(b"b").root.descriptor
SOURCE = Reference.parse("nginx:1")
TO = Destination("east", Reference.parse("east.example:5000/base/nginx:1"), OTHER.digest)
FAILURE = Failure("E508", "gone", "look again", "docker.io")
SAID = (Said("docker.io", ROOT.digest), Said("m.example", None, FAILURE))
PLAN = Plan(
    "mirrors.yaml",
    "0" * 64,
    "2026-01-01T00:00:00+00:00",
    (Copy(SOURCE, ROOT, OTHER, "origin", (TO, TO), SAID, (Platform.parse("linux/arm/v7"),), referrers=True, size=7),),
    (
        Skip(SOURCE, TO, Why.UP_TO_DATE, ROOT.digest, ROOT.digest, "digest", SAID, referrers=True),
        Skip(SOURCE.at(ROOT.digest), TO, Why.KEPT, ROOT.digest, None, "kept", (), FAILURE),
    ),
    (Lost(SOURCE, (TO,), FAILURE, blocked=True, said=SAID, source_digest=ROOT.digest), Lost(SOURCE, (), FAILURE)),
    (("east", "base/nginx"),),
    ("mirrors.yaml:7: nothing",),
)


def broken(path: str, value: object) -> str:
    document = json.loads(dump(PLAN))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = document
    for part in parents:
        place = place[part]
    place[last] = value
    return json.dumps(document)


def test_out_and_in_is_the_same_plan():
    assert load(dump(PLAN)) == PLAN


def test_of_a_root_only_what_names_it_is_kept():
    root = Descriptor(ROOT.media_type, ROOT.digest, ROOT.size, annotations=(("a", "b"),))
    plan = Plan("f", "0", PLAN.created, (Copy(SOURCE, root, root, "origin", ()),))

    assert load(dump(plan)).copies[0].root == ROOT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "not json",
        "[" * 100_000,
        broken("schema_version", 2),
        broken("surprise", 1),
        broken("copies.0.surprise", 1),
        broken("created", "yesterday"),
        broken("created", "2026-01-01T00:00:00"),
        broken("copies.0.root.digest", "sha256:../../etc/passwd"),
        broken("copies.0.root.size", -1),
        broken("copies.0.root.media_type", "text"),
        broken("copies.0.source", "UPPER/case"),
        broken("copies.0.only.0", "linux"),
        broken("copies.0.destinations", None),
        broken("skips.0.why", "because"),
        broken("lost.0.failure", None),
    ],
)
def test_anything_else_is_no_plan(text: str):
    with pytest.raises(StalePlan) as caught:
        load(text)

    assert len(str(caught.value)) < 500
