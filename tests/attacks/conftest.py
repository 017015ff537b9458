"""A user's shell for whole runs, and what they leave behind."""

from __future__ import annotations

import pytest
from cli_town import Shell


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path)
