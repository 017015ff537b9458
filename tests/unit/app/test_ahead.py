"""How many connections are opened before it is known what to ask."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncer.app.ahead import expected
from syncer.config.load import load_text
from syncer.oci.digest import Digest
from syncer.oci.reference import Reference
from syncer.selection.images import Choice
from syncer.state.memory import MemoryState
from syncer.state.records import Confirmed

FILE = """
version: 1
targets:
  plain: {registry: registry.example.com/team}
  ecr: {registry: 123456789012.dkr.ecr.eu-central-1.amazonaws.com}
defaults: {targets: [plain, ecr]}
images:
  - {source: quay.io/org/app, tags: "1.*"}
  - {source: quay.io/org/tool, tags: [a, b, c]}
  - {source: ghcr.io/org/one:1}
"""
SETTINGS = load_text(FILE, "mirrors.yaml", {}, Path())
DIGEST = Digest.of(b"image")


def test_each_tag_is_a_look_at_its_source_and_at_each_target_but_ecr():
    assert expected(SETTINGS, MemoryState(), Choice()) == {"quay.io": 4, "ghcr.io": 1, "registry.example.com": 5}


def test_a_pattern_is_as_many_tags_as_it_was_before():
    state = MemoryState()
    for number in range(7):
        to = Reference.parse(f"registry.example.com/team/org/app:1.{number}")
        state.confirm(to, Confirmed(to, DIGEST, DIGEST, datetime(2026, 11, 25, tzinfo=UTC)))

    assert expected(SETTINGS, state, Choice())["quay.io"] == 10


@pytest.mark.parametrize("choice", [Choice(only=("*app*",)), Choice(skip=("*app*",))])
def test_nothing_is_opened_for_what_may_not_be_meant(choice):
    assert not expected(SETTINGS, MemoryState(), choice)
