"""`make mutants` changes what it says, and the tests that it runs are there."""

import tomllib
from pathlib import Path

import mutants
import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
MODULES = {path.removesuffix(".py").replace("/", ".") for path in SETTINGS["only_mutate"]}


@pytest.mark.parametrize(
    "path", [*SETTINGS["only_mutate"], *SETTINGS["pytest_add_cli_args_test_selection"], *SETTINGS["also_copy"]]
)
def test_what_is_changed_and_what_is_run_is_there(path) -> None:
    assert (ROOT / path).exists()


def test_each_module_that_may_be_changed_is_tried() -> None:
    assert {glob.partition(".*")[0] for glob in mutants.CORE} == MODULES


def test_functions_that_are_named_are_there() -> None:
    named = [glob.split(".*") for glob in mutants.CORE if not glob.endswith(".*")]

    assert named
    for module, function in named:
        source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text("utf-8")
        assert f"def {function.removesuffix('_*')}(" in source
