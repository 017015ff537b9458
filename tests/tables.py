"""Tables of cases for one test: our own, and those of a directory that `pytest --tables DIR` names.

    @pytest.mark.table("digests", own=[{"input": "sha256:abc", "ok": False}])
    def test_a_digest_is_accepted_or_refused(case): ...

The test runs once per case, with the case as a dict in `case`. DIR/digests.json holds more of the same columns under
"cases"; without the option only our own run. `where={"kind": "manifest"}` takes those cases that have these values.
"""

import json
from pathlib import Path

import pytest

OPTION = "--tables"


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Give a test that is marked with tables its cases; a table without any case is an error, not an empty pass."""
    params = [param for marker in metafunc.definition.iter_markers("table") for param in _params(metafunc, marker)]
    if params:
        metafunc.parametrize("case", params)


def directory(config: pytest.Config) -> Path | None:
    """The directory of tables, if one was given."""
    given = config.getoption(OPTION)
    return Path(given) if given else None


def _params(metafunc: pytest.Metafunc, marker: pytest.Mark) -> list:
    name, where = marker.args[0], marker.kwargs.get("where", {})
    cases = [("own", case) for case in marker.kwargs["own"]]
    place = directory(metafunc.config)
    found = [(name, case) for case in _load(place, name) if where.items() <= case.items()] if place else []
    if not cases or (place and not found):
        raise pytest.UsageError(f"{metafunc.function.__name__}: table {name!r} has no case for {where}")
    return [pytest.param(case, id=f"{source}-{number}") for number, (source, case) in enumerate(cases + found)]


def _load(place: Path, name: str) -> list[dict]:
    path = place / f"{name}.json"
    if not path.is_file():
        raise pytest.UsageError(f"{OPTION}: there is no {path}")
    return json.loads(path.read_bytes())["cases"]
