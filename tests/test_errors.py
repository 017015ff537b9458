"""The errors that users meet: every one has a code of its own, a next step, and a section in docs/errors.md."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from syncer import errors
from syncer.errors import CONFIG_CODES, Bug, ConfigError, Failure, SyncerError, leaves

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/errors.md").read_text("utf-8")
CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, SyncerError)]
FAMILIES = {each for each in CLASSES if SyncerError in each.__bases__ and each is not Bug} | {SyncerError}
MET = [each for each in CLASSES if each not in FAMILIES]
SECTION = re.compile(r"^## (E\d{3})\n(.*?)(?=^#|^---|\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = {code: text.strip() for code, text in SECTION.findall(PAGE)}


def names_used(tree: ast.AST, kind: type[ast.AST]) -> set[str]:
    """The names that are called in a `raise`, or that classes have as bases."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, kind):
            inner = [node.exc] if isinstance(node, ast.Raise) else node.bases
            called = [each.func if isinstance(each, ast.Call) else each for each in inner]
            found |= {each.id for each in called if isinstance(each, ast.Name)}
    return found


def modules():
    return [path for path in (ROOT / "syncer").rglob("*.py") if path.name != "errors.py"]


def test_every_code_has_a_section_and_every_section_a_code() -> None:
    assert sorted(SECTIONS) == sorted({each.code for each in MET} | set(CONFIG_CODES))


def test_every_section_says_something() -> None:
    assert [code for code, text in SECTIONS.items() if len(text) < 20] == []


def test_no_section_stands_twice() -> None:
    headings = re.findall(r"^## (\S+)$", PAGE, re.MULTILINE)

    assert sorted(headings) == sorted(set(headings))


def test_a_code_belongs_to_one_error() -> None:
    codes = [each.code for each in MET if "code" in vars(each)] + list(CONFIG_CODES)

    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("error", MET, ids=lambda error: error.__name__)
def test_an_error_has_a_code_of_its_own_or_is_a_form_of_one_that_has(error) -> None:
    assert "code" in vars(error) or error.__base__ in MET


@pytest.mark.parametrize("error", MET, ids=lambda error: error.__name__)
def test_an_error_says_what_to_do_next(error) -> None:
    assert error.next_step
    assert not error.next_step.endswith(".")


@pytest.mark.parametrize("error", sorted(FAMILIES - {SyncerError}, key=lambda each: each.code), ids=str)
def test_a_family_shares_its_digit_and_is_never_met_itself(error) -> None:
    members = [each for each in MET if issubclass(each, error)]

    assert error.code.endswith("00")
    assert {each.code[:2] for each in members} == {error.code[:2]}


def test_nobody_raises_a_family_which_would_have_no_section() -> None:
    families = {each.__name__ for each in FAMILIES}
    raised = {str(path): names_used(ast.parse(path.read_text("utf-8")), ast.Raise) & families for path in modules()}

    assert len(raised) > 10
    assert {path: names for path, names in raised.items() if names} == {}


def test_errors_are_defined_in_one_place() -> None:
    known = {each.__name__ for each in CLASSES}
    based = {str(path): names_used(ast.parse(path.read_text("utf-8")), ast.ClassDef) & known for path in modules()}

    assert {path: names for path, names in based.items() if names} == {}


@pytest.mark.parametrize("error", [each for each in MET if each.transient], ids=lambda error: error.__name__)
def test_what_may_help_to_repeat_is_not_what_only_a_person_can_change(error) -> None:
    assert not error.blocked


def test_an_error_keeps_its_next_step_unless_the_place_knows_a_better_one() -> None:
    assert Failure.of(errors.NotFound("gone", host="h")) == Failure("E508", "gone", errors.NotFound.next_step, "h")
    assert Failure.of(errors.NotFound("gone", hint="look there")).hint == "look there"


def test_a_config_error_counts_its_mistakes() -> None:
    one = errors.Problem("E102", "unknown key")

    assert str(ConfigError("m.yaml", [one])) == "m.yaml: 1 mistake"
    assert str(ConfigError("m.yaml", [one, one])) == "m.yaml: 2 mistakes"


def test_groups_are_flattened_to_their_leaves() -> None:
    first, second = errors.NotFound("a"), ValueError("b")

    assert list(leaves(ExceptionGroup("outer", [ExceptionGroup("inner", [first]), second]))) == [first, second]


def test_the_picture_of_errors_names_real_classes() -> None:
    picture = errors.__doc__ or ""
    names = set(re.findall(r"\b[A-Z][a-z]+[A-Z]\w+", picture)) - {"SyncerError"}

    assert names
    assert names <= {each.__name__ for each in CLASSES}
