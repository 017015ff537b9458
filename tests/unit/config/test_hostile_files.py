"""Whatever a file holds, loading it ends soon, in settings or in a ConfigError, and shows no secret."""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncer.config.compose import LOADER, compose
from syncer.config.load import load_bytes, load_text
from syncer.config.problems import Problems, Unreadable
from syncer.config.render import render
from syncer.config.tree import Node
from syncer.errors import ConfigError
from syncer.settings.rules import Settings

BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
MERGE_BOMB = "x-0: &x0 {a: 1}\n" + "".join(
    f"x-{n}: &x{n} {{" + ", ".join(f"k{k}: {{<<: [*x{n - 1}, *x{n - 1}]}}" for k in range(9)) + "}\n"
    for n in range(1, 9)
)
CANARY = "c4nary-s3cret"
WORDS = ["version: 1\n", "images:\n", "targets: ", "- ", "source: nginx", "{", "}", "[", "]", "&a ", "*a", "<<: ", "\n"]
WORDS += [
    "  ",
    "'",
    '"',
    "|",
    ">\n",
    "? ",
    ": ",
    "!!x ",
    "${A}",
    "${",
    "~",
    "#",
    "---\n",
    "\t",
    "tags: ",
    "auth: ",
    "\x85",
]


def loaded(content: bytes) -> Settings | ConfigError:
    try:
        return load_bytes(content, "m.yaml", {"A": "*a"}, Path("/nonexistent"))
    except ConfigError as error:
        return error


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (BOMB.encode(), "E108"),
        (MERGE_BOMB.encode(), "E108"),
        (b"[" * 3000, "E108"),
        (b"[" * 1_000_000, "E108"),
        (b"a: " * 20, "E101"),
        (b"{a: " * 5000, "E108"),
        (b"- &a [*a]", "E108"),
        (b"&a {b: *a}", "E108"),
        (b"- x\n" * 200_001, "E108"),
        (b"#" * (5 * 1024 * 1024 + 1), "E108"),
        (b"x: 1\n" * 300_000, "E108"),
        ("version: 1\n".encode("utf-16"), "E101"),
        (b"version: \xc3", "E101"),
        (b"\xef\xbb\xbfversion: 1\n", "E101"),
        (b"version: \x00", "E101"),
        (b"%YAML 9.9\n---\nx", "E101"),
        (b"!!python/object/apply:os.system [id]", "E101"),
    ],
)
def test_what_would_take_the_machine_is_refused_at_once(content, code) -> None:
    start = time.monotonic()

    error = loaded(content)

    assert isinstance(error, ConfigError)
    assert code in {problem.code for problem in error.problems}
    assert all(problem.line >= 1 <= problem.column for problem in error.problems)
    assert time.monotonic() - start < 15


def test_an_alias_that_is_used_often_is_no_bomb(load) -> None:
    images = "".join(f"  - {{source: 'nginx:{n}', <<: *common}}\n" for n in range(500))

    head = "version: 1\nx-c: &common {platforms: linux/amd64}\ntargets: {a: {registry: r.example}}\n"
    made = load(f"{head}images:\n{images}")

    assert len(made.rules) == 500


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("a: [1.10, ~, 'x']\nb: &b {c: d}\ne: {<<: *b, f: >\n  g}", {"E101"}),
        ("a: &a [1.10, ~, 'x', \"y\"]\nb: &b\n  c: |\n    d\ne:\n  <<: *b\n  f: *a\n", set()),
        ("a: 1\na: !!x 2\n", {"E101", "E104"}),
        ("[" * 3000, {"E108"}),
        (BOMB, {"E108"}),
    ],
)
def test_both_parsers_of_pyyaml_lead_to_the_same_tree(text, codes) -> None:
    """PyYAML may be built without libyaml; the words for bad syntax are then others, the places the same."""
    native, python = composed(text, LOADER), composed(text, yaml.SafeLoader)

    assert LOADER is not yaml.SafeLoader
    assert native == python
    assert native[1] == codes


def composed(text: str, loader) -> tuple[Node | None, set[str]]:
    problems = Problems("m.yaml", text)
    root = None
    try:
        root = compose(text, lambda value, _at: value, problems, loader)
    except Unreadable as error:
        problems.stop(error)
    return root, {problem.code for problem in problems.error(root).problems}


@settings(max_examples=400, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300))
def test_any_bytes_load_or_are_refused(content) -> None:
    assert isinstance(loaded(content), Settings | ConfigError)


@settings(max_examples=600, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), max_size=40).map("".join))
def test_any_text_loads_or_is_refused_with_places(text) -> None:
    outcome = loaded(text.encode("utf-8", "surrogatepass"))

    if isinstance(outcome, ConfigError):
        assert outcome.problems
        assert all(problem.line and problem.column for problem in outcome.problems)
        assert render(outcome).isprintable() or "\n" in render(outcome)


SECRETS = [
    "registries: {docker.io: {auth: {username: u, password: CANARY, x: 1}}}",
    "registries: {docker.io: {auth: {username: u, pasword: CANARY}}}",
    "registries: {docker.io: {auth: {username: u, token: [CANARY]}}}",
    "registries: {docker.io: {auth: {username: u, key: CANARY, password: {a: CANARY}}}}",
    "registries: {docker.io: {auth: CANARY}}",
    "registries: {docker.io: {auth: [u, CANARY]}}",
    "registries: {docker.io: {auth: u:CANARY}}",
    "registries: {docker.io: {password: CANARY}}",
    "registries: {docker.io: {proxy: 'http://u:CANARY@proxy.example'}}",
    "registries: {docker.io: {mirrors: ['https://u:CANARY@m.example']}}",
    "registries: {docker.io: {mirrors: ['u:CANARY@m.example']}}",
    "registries:\n  docker.io:\n    auth:\n      password: |\n        CANARY\n        CANARY2\n    x: 1",
    "registries:\n  docker.io:\n    auth:\n      username: u\n      password: 'CANARY\n      CANARY'  oops",
    "registries:\n  docker.io:\n    auth:\n      password: >\n        CANARY\n\t  CANARY\n",
    "registries: {docker.io: {auth: {username: u, password: CANARY}}",
    "registries: {docker.io: {auth: {username: u, password: CANARY: x}}}",
    "registries: {docker.io: {auth: {username: u, password: CANARY, password: CANARY}}}",
    "registries: {docker.io: {auth: {<<: {password: CANARY}, password: CANARY, username: u, x: y}}}",
    "registries: {docker.io: {auth: {? [a] : CANARY, <<: CANARY}}}",
    "registries: {docker.io: {auth: &a {username: u, password: CANARY, q: 1}}, quay.io: {auth: *a}}",
    "registries: {docker.io: {auth: {username: '${S}', password: '${S}', x: y}, proxy: '${S}', keep_for: '${S}'}}",
    "images: [{source: '${S} x', target: '${S} x', tags: ['${S} x'], targets: ['${S}'], platforms: '${S}'}]",
    "images: [{source: x, referrers: '${S}'}]\ndefaults: {target: '{${S}}', referrers: '${S}'}\nversion: ${S}",
    "targets: {a: {registry: 'http://${S}', role_arn: '${S}'}, b: {registry: x.y, repositories: {tags: '${S}'}}}",
    "registries: {docker.io: {auth: {username: u, password_file: '${S}'}, tls: {ca: '${S}'}}}",
    "registries: {docker.io: {limits: {in_flight: '${S}'}, resolve: '${S}', tls: {verify: '${S}'}}}",
    "registries: {docker.io: {mirrors: [{url: 'http://u:${S}@x', trust: '${S}', operator: '${S}', auth: '${S}'}]}}",
]


@pytest.mark.parametrize("text", SECRETS)
def test_no_message_shows_a_secret(text, tmp_path) -> None:
    """Neither one that stands in the file, nor one that a variable holds, whatever else is wrong beside it."""
    with pytest.raises(ConfigError) as caught:
        load_text(text.replace("CANARY", CANARY), "m.yaml", {"S": CANARY}, tmp_path)

    assert CANARY not in render(caught.value)
    assert CANARY not in repr(caught.value.problems)
