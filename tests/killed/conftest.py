"""A registry to copy from, and a user with an empty home."""

from __future__ import annotations

from typing import TYPE_CHECKING

import corpus
import pytest
import servers
from killing import IMAGES
from running import Syncer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers import RealRegistry


@pytest.fixture(scope="session")
def origin(tmp_path_factory) -> Iterator[RealRegistry]:
    """Four tags of two repositories that share their base layers."""
    with servers.docker_registry(tmp_path_factory.mktemp("origin")) as registry:
        corpus.Door(registry.host).push_corpus(IMAGES)
        yield registry


@pytest.fixture
def syncer(tmp_path) -> Iterator[Syncer]:
    user = Syncer(tmp_path / "user")
    yield user
    user.end()
