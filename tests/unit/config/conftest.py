"""A whole, small mirrors.yaml, and what loading a text comes to."""

from pathlib import Path

import pytest

from syncer.config.load import load_text
from syncer.errors import ConfigError


@pytest.fixture
def load(tmp_path: Path):
    """Load a text as `mirrors.yaml` in a directory of its own."""

    def loaded(text: str, **environ: str):
        return load_text(text, "mirrors.yaml", environ, tmp_path)

    return loaded


@pytest.fixture
def problems(load):
    """The problems of a text; none if it loads."""

    def found(text: str, **environ: str):
        try:
            load(text, **environ)
        except ConfigError as error:
            return list(error.problems)
        return []

    return found
