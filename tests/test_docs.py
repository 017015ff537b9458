"""The documentation is true: its files load, its commands exist, its links lead somewhere, nothing is left out."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest
import trustme

from syncer.cli.main import COMMANDS, main
from syncer.config.load import load, load_text
from syncer.errors import Failure
from syncer.oci.reference import Reference
from syncer.oci.said import Said
from syncer.plan import schema as plan_schema
from syncer.plan.model import Copy, Lost, Plan, Skip
from syncer.report.model import HostLine, Outcome, Report, Run, Status
from syncer.report.schema import document

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
LAWS = range(1, 8)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`([^`\n]+)`")
CALL = re.compile(r"(?:^|&& )(syncer [a-z][^#]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
PATH = re.compile(r"(?:syncer|tests|docs)/[\w./*-]+")
FILE_KEY = re.compile(r"(?:ca: |password_file: |file:)([\w./-]+)")
MAX_README = 150  # lines


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(language: str) -> list[tuple[str, str]]:
    """(page, text) of every fenced block in that language."""
    found = [(shown(page), FENCE.findall(page.read_text("utf-8"))) for page in PAGES]
    return [(name, text) for name, fences in found for kind, text in fences if kind == language]


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def command(name: str) -> click.Command:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


def options(name: str) -> set[str]:
    """Every spelling of every option of a command, with -h and --help."""
    spelled = {each for param in command(name).params if isinstance(param, click.Option) for each in param.opts}
    return spelled | {"-h", "--help"}


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def sections(page: Path) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands_of(page: Path) -> list[str]:
    """Every line of the page's shell blocks, and every piece of code in its text."""
    code = [text for kind, text in FENCE.findall(page.read_text("utf-8")) if kind in {"sh", "cron"}]
    return [line for text in code for line in text.splitlines()] + INLINE.findall(prose(page))


def calls_in_docs() -> list[str]:
    """Every call of `syncer` with a command, as page: call."""
    found = {(page, call[1].strip()) for page in PAGES for line in commands_of(page) for call in CALL.finditer(line)}
    return sorted(f"{shown(page)}: {call}" for page, call in found)


# --- mirrors.yaml ---------------------------------------------------------------------------------------------------

YAML = [(page, text) for page, text in blocks("yaml") if re.search(r"^version: 1$", text, re.MULTILINE)]


@pytest.mark.parametrize(("page", "text"), YAML, ids=[page for page, _ in YAML])
def test_every_whole_mirrors_yaml_in_the_docs_loads(page, text, tmp_path) -> None:
    for name in FILE_KEY.findall(text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        trustme.CA().cert_pem.write_to_path(tmp_path / name)
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)", text), "value")

    assert load_text(text, page, environ, tmp_path).rules


def test_the_quick_start_and_the_readme_have_whole_files() -> None:
    assert {"README.md", "docs/quickstart.md", "docs/china.md", "docs/mirrors-yaml.md"} <= {page for page, _ in YAML}


def test_the_example_file_loads_without_any_variable() -> None:
    assert load(ROOT / "mirrors.yaml", {}).rules


def keys_of(schema: dict) -> set[str]:
    """The names of all properties in a JSON Schema, however deep."""
    found = set(schema.get("properties", {}))
    for value in schema.values():
        for inner in value if isinstance(value, list) else [value]:
            found |= keys_of(inner) if isinstance(inner, dict) else set()
    return found


def test_every_key_of_mirrors_yaml_is_explained() -> None:
    page = (DOCS / "mirrors-yaml.md").read_text("utf-8")
    keys = keys_of(json.loads((DOCS / "mirrors.schema.json").read_text("utf-8")))

    assert {"source", "keep_for", "in_flight", "untagged_after_days"} <= keys
    assert [key for key in sorted(keys) if not re.search(rf"`(?:[\w.]+\.)?{key}`", page)] == []


# --- the command line -----------------------------------------------------------------------------------------------

COMMAND_LINE = DOCS / "command-line.md"
COMMON = "Options that every command has"


def test_every_command_has_a_section_and_no_other_has_one() -> None:
    described = [title[len("`syncer ") : -1] for title in sections(COMMAND_LINE) if title.startswith("`syncer ")]

    assert described == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_explained_where_one_looks_for_it(name) -> None:
    found = sections(COMMAND_LINE)
    text = found[COMMON] + found[f"`syncer {name}`"]

    assert [each for each in sorted(options(name)) if not re.search(rf"`{each}[` ]", text)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_promised_that_a_command_does_not_have(name) -> None:
    spelled = set(OPTION.findall(sections(COMMAND_LINE)[f"`syncer {name}`"]))

    assert spelled - {"--version"} <= set().union(*map(options, COMMANDS)), name
    assert set(OPTION.findall(sections(COMMAND_LINE)[COMMON])) <= options(name)


def test_every_environment_variable_of_an_option_is_named() -> None:
    params = [param for name in COMMANDS for param in command(name).params if param.envvar]
    variables = {str(param.envvar) for param in params}

    assert variables
    assert [name for name in variables if f"`{name}`" not in COMMAND_LINE.read_text("utf-8")] == []


@pytest.mark.parametrize("call", calls_in_docs())
def test_every_call_in_the_docs_is_one_that_works(call) -> None:
    _, name, *words = shlex.split(call.partition(": ")[2])
    given = {word.partition("=")[0] for word in words if word.startswith("-")}

    assert name in COMMANDS
    assert given <= options(name)


def test_every_make_target_in_the_docs_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    calls = [re.match(r"make ([a-z]+)", line) for page in PAGES for line in commands_of(page)]
    named = {call[1] for call in calls if call}

    assert {"demo", "test", "check"} <= named <= targets


# --- pages ----------------------------------------------------------------------------------------------------------

LINKS = [(shown(page), link) for page in PAGES for link in LINK.findall(prose(page)) if "://" not in link]


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_every_link_leads_somewhere(page, link) -> None:
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page

    assert target.resolve().is_file()
    assert not anchor or anchor in anchors(target)


def test_the_index_lists_every_page() -> None:
    linked = {
        (DOCS / link.partition("#")[0]).resolve() for link in LINK.findall((DOCS / "index.md").read_text("utf-8"))
    }

    assert [shown(page) for page in DOCS.rglob("*.md") if page not in linked and page.name != "index.md"] == []


def test_every_path_of_the_repository_in_the_docs_exists() -> None:
    paths = [path for page in PAGES for path in INLINE.findall(prose(page)) if PATH.fullmatch(path)]

    assert "syncer/content/places.py" in paths
    assert [path for path in paths if not list(ROOT.glob(path.rstrip("/")))] == []


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= MAX_README


@pytest.mark.parametrize("number", LAWS)
def test_every_law_has_a_test_named_after_it(number) -> None:
    (title,) = [title for title in sections(DOCS / "laws.md") if title.startswith(f"{number}. ")]
    files = list((ROOT / "tests/behaviour").glob(f"test_law_{number}_*.py"))

    assert files
    assert f"`tests/behaviour/test_law_{number}_*.py`" in sections(DOCS / "laws.md")[title]


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_says_what_it_was_about_what_was_chosen_and_what_it_costs(page) -> None:
    text = page.read_text("utf-8")

    assert text.startswith(f"# {page.name[:4]}. ")
    assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Situation", "Choice", "Cost"]


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(page.name[:4]) for page in sorted((DOCS / "decisions").glob("*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))


# --- JSON -----------------------------------------------------------------------------------------------------------

FAILURE = Failure("E401", "m", "h", "host")
NGINX = Reference.parse("nginx:1")


def shape(value: object) -> object:
    """The keys of a JSON value, however deep; of a list, those of its first item."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key != "error"}
    return [shape(value[0])] if isinstance(value, list) and value else None


def report() -> Report:
    outcome = Outcome(NGINX, NGINX, Status.COPIED, via=("h",), said=(Said("h"),))
    return Report(Run("id", "sync", "now", 1.0), (outcome,), (HostLine("h"),))


def json_examples() -> list[dict]:
    page = (DOCS / "json.md").read_text("utf-8")
    return [json.loads(text) for kind, text in FENCE.findall(page) if kind == "json"]


def test_the_report_in_the_docs_has_the_keys_of_a_report() -> None:
    (example,) = [each for each in json_examples() if "run" in each]

    assert shape(example) == shape(document(report()))
    assert list(example["totals"]) == list(document(report())["totals"])


def test_the_error_in_the_docs_has_the_keys_of_an_error() -> None:
    (example,) = [each for each in json_examples() if "message" in each]
    failed = Outcome(NGINX, NGINX, Status.FAILED, failure=FAILURE)

    assert list(example) == list(document(Report(report().run, (failed,)))["images"][0]["error"])


def test_every_key_of_images_and_every_status_is_explained() -> None:
    page = (DOCS / "json.md").read_text("utf-8")
    names = [*document(report())["images"][0], *(status.value for status in Status)]

    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_key_of_a_plan_is_explained() -> None:
    section = sections(DOCS / "json.md")["The plan"]
    keys = set(json.loads(plan_schema.dump(Plan("f", "0", "2026-01-01T00:00:00Z"))))
    keys |= {name for kind in (Copy, Skip, Lost) for name in kind.__dataclass_fields__}

    assert [key for key in sorted(keys) if f"`{key}`" not in section] == []


@pytest.mark.parametrize(("page", "text"), blocks("json"), ids=[page for page, _ in blocks("json")])
def test_json_in_the_docs_is_json(page, text) -> None:
    assert json.loads(text), page
