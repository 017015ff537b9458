"""A file of some other kind is not answered with a list of all that is wrong with it."""

import pytest

from syncer.config.load import load_text
from syncer.errors import ConfigError


def test_so_many_mistakes_are_listed_and_no_more(tmp_path):
    keys = "\n".join(f"unknown{number}: 1" for number in range(2000))
    with pytest.raises(ConfigError) as caught:
        load_text(f"version: 1\n{keys}\n", "mirrors.yaml", {}, tmp_path)
    assert len(caught.value.problems) == 501
    assert any("more than 500 mistakes" in problem.message for problem in caught.value.problems)
