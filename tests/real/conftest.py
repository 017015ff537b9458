"""Real registries that live as long as a module's tests, and a user with an empty home."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import servers
from running import Syncer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers import RealRegistry


@pytest.fixture(scope="module")
def start(tmp_path_factory) -> Iterator[Callable[..., RealRegistry]]:
    """Starts a registry that lives as long as the tests of the module."""
    with ExitStack() as stack:

        def started(**options: Any) -> RealRegistry:
            return stack.enter_context(servers.docker_registry(tmp_path_factory.mktemp("registry"), **options))

        yield started


@pytest.fixture(scope="module")
def source(start) -> RealRegistry:
    return start()


@pytest.fixture(scope="module")
def target(start) -> RealRegistry:
    return start()


@pytest.fixture
def syncer(tmp_path) -> Iterator[Syncer]:
    user = Syncer(tmp_path / "user")
    yield user
    user.end()
