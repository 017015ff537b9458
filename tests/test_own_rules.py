"""Rules of this project that no linter knows, read in the syntax tree of every module of the package.

Each rule comes with a sample that breaks it, so that a rule which sees nothing is seen; and with the few modules in
which the forbidden thing has its home, each of which must still need it.
"""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "syncer"
BROAD = {"Exception", "BaseException", "ExceptionGroup", "BaseExceptionGroup"}
ARCHIVES = {"gzip", "zlib", "bz2", "lzma", "tarfile", "zipfile", "zstandard"}
OTHER_CLIENTS = {"requests", "httpx", "urllib.request", "http.client", "ftplib", "smtplib", "telnetlib", "xmlrpc"}
RUNS_DATA = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "asyncio.create_subprocess_shell"}
UNPICKLES = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
YAML_READERS = {f"yaml.{name}" for name in ("load", "load_all", "full_load", "unsafe_load", "safe_load", "parse")}
NAIVE = {f"datetime.datetime.{name}" for name in ("utcnow", "utcfromtimestamp", "today")} | {"datetime.date.today"}
IN_A_ZONE = {"datetime.datetime.now": 0, "datetime.datetime.fromtimestamp": 1}  # and which argument is the zone
UNFINISHED = re.compile(r"://\S*$")
WHOLE = {"read", "text", "json", "content"}
TLS_OFF = {"CERT_NONE", "_create_unverified_context", "_create_default_https_context"}
Nodes = Iterator[ast.AST]


@cache
def nodes(tree: ast.Module) -> list[ast.AST]:
    return list(ast.walk(tree))


def spelled(node: ast.AST, known: dict[str, str]) -> str:
    """The dotted name of an expression, with what the module's imports call by another name put back."""
    match node:
        case ast.Name(id=name):
            return known.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            return f"{spelled(value, known)}.{attr}"
        case ast.Call(func=func):
            return f"{spelled(func, known)}()"
    return "?"


@cache
def names(tree: ast.Module) -> dict[str, str]:
    """What each name that an import binds stands for."""
    found: dict[str, str] = {}
    for node in nodes(tree):
        match node:
            case ast.Import(names=aliases):
                found |= {alias.asname: alias.name for alias in aliases if alias.asname}
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                found |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in aliases}
    return found


@cache
def calls(tree: ast.Module) -> list[tuple[ast.Call, str]]:
    known = names(tree)
    return [(node, spelled(node.func, known)) for node in nodes(tree) if isinstance(node, ast.Call)]


def imports(tree: ast.Module, modules: set[str]) -> Nodes:
    for node in nodes(tree):
        match node:
            case ast.Import(names=aliases):
                brought = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(module), names=aliases):
                brought = [module, *(f"{module}.{alias.name}" for alias in aliases)]
            case _:
                continue
        if any(name == module or name.startswith(f"{module}.") for name in brought for module in modules):
            yield node


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((given.value for given in call.keywords if given.arg == name), None)


def false(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def reads_yaml(tree: ast.Module) -> Nodes:
    return (call for call, name in calls(tree) if name in YAML_READERS)


def reads_without_limit(tree: ast.Module) -> Nodes:
    for call, name in calls(tree):
        limit = [*call.args, *(given.value for given in call.keywords)]
        endless = not limit or (isinstance(limit[0], ast.UnaryOp) and isinstance(limit[0].op, ast.USub))
        if "." in name and name.rpartition(".")[2] in WHOLE and (endless or ast.unparse(limit[0]) == "None"):
            yield call


def raises_for_status(tree: ast.Module) -> Nodes:
    for call, name in calls(tree):
        given = keyword(call, "raise_for_status")
        if name.endswith("raise_for_status") or (given is not None and not false(given)):
            yield call


def lets_redirects_be_followed(tree: ast.Module) -> Nodes:
    for call, name in calls(tree):
        asked = name.rpartition(".")[2] in {"request", "ws_connect"} and "session" in name.lower()
        if (asked or keyword(call, "allow_redirects")) and not false(keyword(call, "allow_redirects")):
            yield call


def asserts(tree: ast.Module) -> Nodes:
    return (node for node in nodes(tree) if isinstance(node, ast.Assert))


def builds_urls(tree: ast.Module) -> Nodes:
    """A value behind `://` and no space, in an f-string, by +, by % or by format."""
    for node in nodes(tree):
        match node:
            case ast.JoinedStr(values=parts):
                texts = [part.value if isinstance(part, ast.Constant) else None for part in parts]
                if any(text and UNFINISHED.search(text) and after is None for text, after in pairwise(texts)):
                    yield node
            case ast.BinOp(op=ast.Add() | ast.Mod(), left=ast.Constant(value=str(text))) if "://" in text:
                yield node
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")) if "://" in text:
                yield node


def swallows(tree: ast.Module) -> Nodes:
    """Whatever happens is caught, and neither raised again nor looked at."""
    known = names(tree)
    for node in nodes(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            broad = node.type is None or BROAD & {spelled(kind, known) for kind in caught if kind}
            inside = [part for statement in node.body for part in ast.walk(statement)]
            used = any(isinstance(part, ast.Raise) for part in inside)
            used |= any(isinstance(part, ast.Name) and part.id == node.name for part in inside)
            if node.type is None or (broad and not used):
                yield node
    for call, name in calls(tree):
        if name.endswith("suppress") and BROAD & {spelled(kind, known) for kind in call.args}:
            yield call


def knows_no_zone(tree: ast.Module) -> Nodes:
    for call, name in calls(tree):
        place = IN_A_ZONE.get(name)
        zone = (call.args[place : place + 1] or [keyword(call, "tz")])[0] if place is not None else None
        if name in NAIVE or (place is not None and (zone is None or ast.unparse(zone) == "None")):
            yield call


def unpacks(tree: ast.Module) -> Nodes:
    yield from imports(tree, ARCHIVES)
    yield from (call for call, name in calls(tree) if name == "shutil.unpack_archive")


def loses_tasks(tree: ast.Module) -> Nodes:
    """A task of the loop that nobody holds: it may be collected unfinished, and its error is seen by nobody."""
    known = names(tree)
    for node in nodes(tree):
        match node:
            case ast.Expr(value=ast.Call(func=func)):
                owner, _, deed = spelled(func, known).rpartition(".")
                if deed == "ensure_future" or (
                    deed == "create_task" and (owner == "asyncio" or "loop" in owner.rpartition(".")[2])
                ):
                    yield node


def starts_shells(tree: ast.Module) -> Nodes:
    for call, name in calls(tree):
        shell = keyword(call, "shell")
        if name in {"subprocess.getoutput", "subprocess.getstatusoutput"} or not (shell is None or false(shell)):
            yield call


def runs_data(tree: ast.Module) -> Nodes:
    yield from (call for call, name in calls(tree) if name in RUNS_DATA)


def unpickles(tree: ast.Module) -> Nodes:
    return imports(tree, UNPICKLES)


def prints(tree: ast.Module) -> Nodes:
    known = names(tree)
    yield from (call for call, name in calls(tree) if name == "print")
    shouting = {"sys.stdout", "sys.stderr"}
    yield from (n for n in nodes(tree) if isinstance(n, ast.Name | ast.Attribute) and spelled(n, known) in shouting)


def hashes_weakly(tree: ast.Module) -> Nodes:
    for call, name in calls(tree):
        fixed = call.args[:1] and isinstance(call.args[0], ast.Constant)
        chosen = name == "hashlib.new" and not (fixed and call.args[0].value in {"sha256", "sha512"})
        if name in {"hashlib.md5", "hashlib.sha1"} or chosen:
            yield call


def trusts_any_certificate(tree: ast.Module) -> Nodes:
    for node in nodes(tree):
        match node:
            case ast.Attribute(attr=attr) if attr in TLS_OFF:
                yield node
            case ast.Assign(targets=[ast.Attribute(attr="check_hostname")]):
                yield node
            case ast.keyword(arg="ssl" | "verify_ssl" | "verify", value=value) if false(value):
                yield node


def speaks_http_elsewhere(tree: ast.Module) -> Nodes:
    return imports(tree, OTHER_CLIENTS)


class Rule(NamedTuple):
    says: str
    breaches: Callable[[ast.Module], Nodes]
    broken: list[str]  # samples, one breach in each
    kept: list[str]
    homes: tuple[str, ...] = ()  # beginnings of the paths in which it is allowed


RULES = [
    Rule(
        "YAML is read by the loader of the configuration, event by event",
        reads_yaml,
        ["yaml.safe_load(text)", "from yaml import load as l\nl(text, Loader)", "import yaml as y\ny.parse(text)"],
        ["yaml.compose", "loader.load(text)"],
        ("config/compose.py",),
    ),
    Rule(
        "what is read has a limit",
        reads_without_limit,
        ["await answer.read()", "answer.content.read(-1)", "await answer.json()", "a.read(size=None)", "a.text()"],
        ["await answer.read(4096)", "file.read(n + 1)", "read()", "json.loads(x)", "answer.text"],
        ("sandbox/",),
    ),
    Rule(
        "the status decides in one place, and what was answered is kept for the message",
        raises_for_status,
        ["answer.raise_for_status()", "Session(raise_for_status=True)", "Session(raise_for_status=check)"],
        ["Session(raise_for_status=False)"],
    ),
    Rule(
        "redirects are followed by us, hop by hop",
        lets_redirects_be_followed,
        ["session.get(url, allow_redirects=True)", "self._session.request(method, url)", "s.get(allow_redirects=x)"],
        ["session.request(m, url, allow_redirects=False)", "other.request(m, url)"],
    ),
    Rule("checks survive python -O", asserts, ["assert digest == wanted"], ["if x:\n    raise ValueError"]),
    Rule(
        "URLs are built where their parts are known to be clean",
        builds_urls,
        [
            "f'https://{host}/v2/'",
            "f'{scheme}://{host}'",
            "f'{a}https://auth.{host}'",
            "'http://' + host",
            "'%s://%s' % (a, b)",
            "'a://{}'.format(b)",
        ],
        ["f'/v2/{name}'", "f'it begins with {scheme}://'", "'https://auth.docker.io'", "f'see https://x.org: {y}'"],
        ("oci/origin.py", "registry/urls.py", "settings/proxies.py", "cli/demo/stage.py", "sandbox/"),
    ),
    Rule(
        "no error is swallowed unseen",
        swallows,
        [
            "try: f()\nexcept Exception: pass",
            "try: f()\nexcept: raise",
            "try: f()\nexcept (ValueError, BaseException): return_(None)",
            "with contextlib.suppress(Exception): f()",
            "try: f()\nexcept* ExceptionGroup as e: log('no')",
        ],
        [
            "try: f()\nexcept Exception as e: log(e)",
            "try: f()\nexcept BaseException:\n    undo()\n    raise",
            "try: f()\nexcept OSError: pass",
            "with suppress(OSError): f()",
        ],
    ),
    Rule(
        "every moment has its zone",
        knows_no_zone,
        [
            "from datetime import datetime\ndatetime.now()",
            "import datetime\ndatetime.datetime.utcnow()",
            "from datetime import datetime as d\nd.fromtimestamp(0)",
            "from datetime import date\ndate.today()",
            "from datetime import datetime\ndatetime.now(tz=None)",
        ],
        [
            "from datetime import datetime\ndatetime.now(UTC)",
            "clock.now()",
            "from datetime import datetime\ndatetime.fromtimestamp(0, tz=UTC)",
        ],
    ),
    Rule(
        "nothing that came over the wire is unpacked",
        unpacks,
        [
            "import gzip",
            "from tarfile import open",
            "def f():\n    import zlib",
            "import shutil\nshutil.unpack_archive(p)",
        ],
        ["import gzipped", "import shutil"],
        ("sandbox/blobs.py", "sandbox/images.py"),
    ),
    Rule(
        "every task has somebody who waits for it",
        loses_tasks,
        [
            "asyncio.create_task(f())",
            "from asyncio import ensure_future\nensure_future(f())",
            "asyncio.get_running_loop().create_task(f())",
            "self._loop.create_task(f())",
        ],
        ["task = asyncio.create_task(f())", "group.create_task(f())", "await asyncio.create_task(f())"],
    ),
    Rule(
        "no program is started through a shell",
        starts_shells,
        ["subprocess.run(text, shell=True)", "Popen(text, shell=x)", "import subprocess as s\ns.getoutput(text)"],
        ["subprocess.run(['ls'])", "subprocess.run(words, shell=False)"],
    ),
    Rule(
        "data is never run",
        runs_data,
        [
            "eval(text)",
            "exec(text)",
            "from os import system\nsystem(text)",
            "__import__(name)",
            "asyncio.create_subprocess_shell(text)",
        ],
        ["re.compile(text)", "task.exec(text)", "ast.literal_eval(text)"],
    ),
    Rule(
        "nothing is unpickled",
        unpickles,
        ["import pickle", "from marshal import loads", "import shelve as s"],
        ["import json", "import pickles"],
    ),
    Rule(
        "only the command line talks to the user",
        prints,
        ["print(x)", "sys.stderr.write(x)", "from sys import stdout\nf(stdout)"],
        ["console.print(x)", "sys.exit(1)"],
        ("cli/", "sandbox/__main__.py"),
    ),
    Rule(
        "digests are SHA-2",
        hashes_weakly,
        ["hashlib.md5(x)", "from hashlib import sha1\nsha1(x)", "hashlib.new('md5')", "hashlib.new(name)"],
        ["hashlib.sha256(x)", "hashlib.new('sha512')"],
        ("oci/digest.py", "sandbox/uploading.py"),
    ),
    Rule(
        "certificates are checked unless the file says otherwise",
        trusts_any_certificate,
        [
            "c.verify_mode = ssl.CERT_NONE",
            "c.check_hostname = False",
            "session.get(url, ssl=False)",
            "ssl._create_unverified_context()",
        ],
        ["ssl.create_default_context()", "session.get(url, ssl=context)"],
        ("registry/tls.py",),
    ),
    Rule(
        "there is one HTTP client",
        speaks_http_elsewhere,
        [
            "import urllib.request",
            "from urllib import request",
            "from http.client import HTTPConnection",
            "import requests.sessions",
        ],
        ["from urllib.parse import urlsplit", "from http import HTTPStatus"],
    ),
]


def of(field: str) -> list[object]:
    return [
        pytest.param(rule, text, id=f"{rule.breaches.__name__}: {text}")
        for rule in RULES
        for text in getattr(rule, field)
    ]


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_bytes()) for path in paths}


def inside(path: str, rule: Rule) -> bool:
    return path.startswith(rule.homes) if rule.homes else False


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.breaches.__name__)
def test_the_package_keeps_the_rule(modules, rule) -> None:
    outside = {path: tree for path, tree in modules.items() if not inside(path, rule)}
    found = [f"{path}:{node.lineno}: {rule.says}" for path, tree in outside.items() for node in rule.breaches(tree)]

    assert len(outside) > 100
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(("rule", "home"), of("homes"))
def test_a_home_still_needs_to_be_one(modules, rule, home) -> None:
    assert any(list(rule.breaches(tree)) for path, tree in modules.items() if path.startswith(home))


@pytest.mark.parametrize(("rule", "sample"), of("broken"))
def test_a_breach_is_seen(rule, sample) -> None:
    assert list(rule.breaches(ast.parse(sample)))


@pytest.mark.parametrize(("rule", "sample"), of("kept"))
def test_what_is_allowed_is_no_breach(rule, sample) -> None:
    assert not list(rule.breaches(ast.parse(sample)))
