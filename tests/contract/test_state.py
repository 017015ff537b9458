"""What every State promises."""

from datetime import UTC, datetime

import pytest

from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.platform import Platform
from syncer.oci.reference import Reference
from syncer.state.memory import MemoryState
from syncer.state.records import Confirmed, Seen
from syncer.state.sqlite import SqliteState

TARGET = Reference.parse("registry.example.com/base/nginx:1.27")
OTHER = Reference.parse("registry.example.com/base/nginx:1.28")
ROOT, SMALL = Digest.of(b"root"), Digest.of(b"small")
AMD, ARM = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")
SEEN = Confirmed(Reference.parse("nginx:1.27"), ROOT, SMALL, datetime(2026, 11, 24, 2, 0, tzinfo=UTC))
LANDING = Descriptor("application/vnd.oci.image.index.v1+json", SMALL, 321)


@pytest.fixture(params=["memory", "sqlite"])
def state(request, tmp_path):
    made = MemoryState() if request.param == "memory" else SqliteState(tmp_path / "state.sqlite")
    yield made
    if request.param == "sqlite":
        made.close()


def test_nothing_is_known_at_first(state):
    assert state.confirmed(TARGET) is None
    assert state.rewritten(ROOT, (AMD,)) is None


def test_a_confirmation_is_kept_for_its_own_tag(state):
    state.confirm(TARGET, SEEN)
    assert state.confirmed(TARGET) == SEEN
    assert state.confirmed(OTHER) is None


def test_the_latest_confirmation_counts(state):
    later = Confirmed(SEEN.source, SMALL, SMALL, datetime(2026, 11, 25, tzinfo=UTC))
    state.confirm(TARGET, SEEN)
    state.confirm(TARGET, later)
    assert state.confirmed(TARGET) == later


def test_tags_are_counted_by_repository(state):
    for name in ("base/nginx:1.27", "base/nginx:1.28", "base/nginx:1.28", "base/nginx-more:1", "base/nginx/more:1"):
        state.confirm(Reference.parse(f"registry.example.com/{name}"), SEEN)

    assert state.tags(Reference.parse("registry.example.com/base/nginx")) == 2
    assert state.tags(Reference.parse("registry.example.com/base")) == 0


def test_what_a_tag_was_seen_to_mean_is_kept_once_each_the_latest_first(state):
    first, second = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)
    for digest, at in ((ROOT, first), (SMALL, first), (ROOT, second)):
        state.saw(SEEN.source, digest, at)

    assert state.seen(SEEN.source) == (Seen(ROOT, second), Seen(SMALL, first))
    assert state.seen(OTHER) == ()


def test_the_order_of_platforms_does_not_matter(state):
    state.remember_rewritten(ROOT, (AMD, ARM), LANDING)
    assert state.rewritten(ROOT, (ARM, AMD)) == LANDING
    assert state.rewritten(ROOT, (AMD,)) is None
