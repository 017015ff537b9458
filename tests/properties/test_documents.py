"""Documents of any shape: JSON, manifests, plans, logins, tokens, refusals; beside a second reader if there is one."""

import copy
import functools
import json
import operator
from types import SimpleNamespace

import pytest
from fuzzing import fuzzed, made_of
from hypothesis import strategies as st

from syncer.clock import SystemClock
from syncer.credentials.docker_config import DockerConfigKeychain
from syncer.ecr.keychain import _decoded
from syncer.errors import (
    AwsRefused,
    Failure,
    HelperFailed,
    MalformedManifest,
    StalePlan,
    TokenServiceFailed,
    UnsupportedManifest,
)
from syncer.oci import media_types, strict_json
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.manifest import Index, parse_manifest
from syncer.oci.origin import Origin
from syncer.oci.platform import Platform
from syncer.oci.reference import Reference
from syncer.plan.model import Copy, Destination, Lost, Plan
from syncer.plan.schema import dump, load
from syncer.registry.failures import read_words
from syncer.registry.tokens import Tokens

ORIGIN = Origin("https", "registry.example", 443)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**400, "", 2**63])
)
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
JSON = ("{", "}", "[", "]", '"a"', '"A"', ":", ",", "1", "-0", "1e999", "1.5", "NaN", "Infinity", "true", "null")
JSON += (
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '"\\u0000"',
    '"',
    "\\",
    " ",
    "\ufeff",
    "[[[[",
    '{"a":1,"a":2}',
    "0" * 30,
    "9" * 5000,
)


def plainly(text):
    """What json makes of `text`, and whether a strict reader may take it."""
    strict = True

    def pairs(members):
        nonlocal strict
        strict = strict and len(dict(members)) == len(members)
        return dict(members)

    value = json.loads(text, object_pairs_hook=pairs)
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    return value, strict and not text.startswith("\ufeff")


@fuzzed(made_of(*JSON) | ANY.map(json.dumps) | st.text())
def test_strict_json_is_json_that_all_read_alike(text):
    try:
        expected, strict = plainly(text)
    except ValueError:
        strict = False
    try:
        found = strict_json.loads(text.encode())
    except ValueError:
        assert not strict
        return
    assert strict
    assert found == expected


DIGESTS = st.binary(min_size=1, max_size=3).map(lambda data: str(Digest.of(data)))
PLATFORMS = st.sampled_from(
    [{"os": "linux", "architecture": "arm64", "variant": "v8"}, {}, {"os": "linux"}, [], {"OS": 1}]
)
MEMBERS = {"mediaType": st.just(media_types.OCI_LAYER), "digest": DIGESTS, "size": st.integers(1, 2**63 - 1)}
EXTRA = {"annotations": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2), "platform": PLATFORMS}
EXTRA |= {"urls": st.lists(st.sampled_from(["https://a/b", "a", "ftp:x"]), max_size=2), "artifactType": st.just("a/b")}
DESCRIPTORS = st.fixed_dictionaries(MEMBERS, optional=EXTRA)
HEAD = {"schemaVersion": st.just(2), "annotations": EXTRA["annotations"]}
MANIFESTS = st.fixed_dictionaries(HEAD | {"config": DESCRIPTORS, "layers": st.lists(DESCRIPTORS, max_size=3)})
INDEXES = st.fixed_dictionaries(
    HEAD | {"manifests": st.lists(DESCRIPTORS, max_size=3)}, optional={"subject": DESCRIPTORS}
)
KEYS = (
    "schemaVersion",
    "mediaType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
    "fsLayers",
    "Layers",
    "size",
)
KEYS += ("digest", "platform", "os", "urls", "data", "artifactType", "\u017fize")


def damaged(document, where, key, value):
    """`document` with one member of one of its objects, or one of its items, exchanged."""
    document = copy.deepcopy(document)
    places = list(objects(document))
    places[where % len(places)][key] = value
    return document


def objects(value):
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


DAMAGED = st.builds(damaged, MANIFESTS | INDEXES, st.integers(0, 9), st.sampled_from(KEYS), ANY)


@fuzzed(MANIFESTS | INDEXES | DAMAGED | ANY)
def test_a_manifest_is_read_as_everyone_reads_it_or_refused(document):
    raw = json.dumps(document).encode()
    try:
        found = parse_manifest(raw, None)
    except (MalformedManifest, UnsupportedManifest) as refused:
        assert refused.message.isprintable()
        return
    listed = document["manifests"] if isinstance(found, Index) else [document["config"], *(document["layers"] or [])]
    read = found.manifests if isinstance(found, Index) else (found.config, *found.layers)

    assert (document["schemaVersion"], found.raw, found.descriptor.digest) == (2, raw, Digest.of(raw))
    assert [(str(d.digest), d.size, d.media_type) for d in read] == [
        (each["digest"], each["size"], each["mediaType"]) for each in (listed or [])
    ]
    assert all(Descriptor.from_json(json.loads(json.dumps(each.to_json()))) == each for each in read)
    assert len({each.digest for each in read}) == len({(each.digest, each.size) for each in read})


@fuzzed(st.binary(max_size=100) | made_of(*JSON).map(str.encode))
def test_any_bytes_are_a_manifest_or_malformed(raw):
    with pytest.raises((MalformedManifest, UnsupportedManifest)):
        parse_manifest(raw, "application/json")


@pytest.mark.parametrize("path", [("schemaVersion",), ("config", "size"), ("layers", 0, "platform"), ("annotations",)])
def test_however_deep_a_value_is_it_is_only_malformed(path):
    """Reading JSON and showing it end at the same depth: no depth may lie between them."""
    entry = {"mediaType": "a/b", "digest": str(Digest.of(b"x")), "size": 1}
    document = {"schemaVersion": 2, "config": dict(entry), "layers": [dict(entry)], "annotations": {}}
    functools.reduce(operator.getitem, path[:-1], document)[path[-1]] = "deep"
    text = json.dumps(document)

    for depth in range(880, 1000):
        with pytest.raises(MalformedManifest):
            parse_manifest(text.replace('"deep"', "[" * depth + "]" * depth).encode(), None)


REFERENCES = st.sampled_from([Reference.parse("nginx:1"), Reference.parse(f"r.example/a@{Digest.of(b'x')}")])
ROOTS = st.builds(
    Descriptor, st.just(media_types.OCI_INDEX), st.binary(min_size=1).map(Digest.of), st.integers(1, 2**63 - 1)
)
TO = st.builds(Destination, st.text(max_size=3), REFERENCES, st.none() | st.just(Digest.of(b"x")))
FAILURES = st.builds(
    Failure, st.text(max_size=4), st.text(max_size=9), st.text(max_size=4), st.none() | st.text(max_size=4)
)
ONLY = st.lists(st.sampled_from(["linux/arm/v7", "windows/amd64,osver=10.0.1"]).map(Platform.parse), max_size=2).map(
    tuple
)
LISTS = st.lists(TO, max_size=2).map(tuple)
SECONDS = st.floats(min_value=0.001, allow_infinity=False)
COPIES = st.builds(
    Copy, REFERENCES, ROOTS, ROOTS, st.text(max_size=3), LISTS, only=ONLY, size=st.integers(0), deadline=SECONDS
)
LOST = st.builds(Lost, REFERENCES, LISTS, FAILURES, blocked=st.booleans())
PLANS = st.builds(
    Plan, st.text(max_size=5), st.text(max_size=5), st.just("2026-01-01T00:00:00+00:00"),
    st.lists(COPIES, max_size=2).map(tuple), lost=st.lists(LOST, max_size=2).map(tuple),
)  # fmt: skip


@fuzzed(PLANS)
def test_a_plan_that_is_written_is_read_back(plan):
    assert load(dump(plan)) == plan


PLAN_KEYS = (
    "copies",
    "schema_version",
    "created",
    "source",
    "root",
    "deadline",
    "size",
    "destinations",
    "only",
    "lost",
    "x\x1b",
)
BAD_PLANS = st.builds(
    damaged, PLANS.map(dump).map(json.loads), st.integers(0, 9), st.sampled_from(PLAN_KEYS), ANY | st.just(float("inf"))
)


@fuzzed(BAD_PLANS.map(json.dumps) | made_of(*JSON) | st.text() | st.binary())
def test_what_is_taken_for_a_plan_can_be_written_again(text):
    try:
        plan = load(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    except StalePlan as refused:
        assert len(str(refused)) < 1000
        return
    assert load(dump(plan)) == plan


LOGINS = st.builds(
    damaged,
    st.just({"auths": {"registry.example": {"auth": "dTpw"}}, "credHelpers": {}}),
    st.integers(0, 3),
    st.sampled_from(
        ["auths", "auth", "registry.example", "identitytoken", "credHelpers", "credsStore", "username", "password"]
    ),
    ANY | st.sampled_from(["dTpw", "dTpw\xff", "Og==", "/../sh", "\0"]),
)


@fuzzed((LOGINS | ANY).map(json.dumps).map(str.encode) | st.binary())
def test_a_docker_config_gives_a_login_or_none_or_says_that_it_is_malformed(content):
    path = CONFIG / "config.json"
    path.write_bytes(content)
    try:
        found = DockerConfigKeychain(path)._read(ORIGIN)
    except HelperFailed as refused:
        assert refused.host == "registry.example"
        return
    assert found is None or (isinstance(found.username, str) and found.password.reveal().encode() is not None)


@pytest.fixture(autouse=True, scope="module")
def _no_helpers(tmp_path_factory):
    """No program is found whatever name a file gives it; `CONFIG` is where files are written."""
    global CONFIG  # noqa: PLW0603 -- laws are no tests and get no fixtures
    CONFIG = tmp_path_factory.mktemp("docker")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(CONFIG))
        yield


CONFIG = None
LIVES = st.builds(lambda token, life: {"token": token, "expires_in": life}, ANY, ANY)


@fuzzed(
    (LIVES | ANY).map(json.dumps).map(str.encode) | st.binary() | made_of(*JSON, '"token"', '"Token"').map(str.encode)
)
def test_a_token_service_gives_a_token_for_a_day_at_most_or_fails(body):
    tokens = Tokens(SimpleNamespace(origin=ORIGIN), None, None, SystemClock())
    try:
        token = tokens._read(body, ORIGIN)
    except TokenServiceFailed as refused:
        assert refused.message in (
            "registry.example answers with no token",
            "registry.example answers with no usable token",
        )
        return
    value = token.value.reveal().removeprefix("Bearer ")

    assert value in (json.loads(body).get("token"), json.loads(body).get("access_token"))
    assert (value.isascii(), value.isprintable()) == (True, True)
    assert 0 < token.use_until - SystemClock().monotonic() <= 24 * 3600


@fuzzed(ANY | st.sampled_from(["QVdTOnB3", "é", "QVdTOv8="]))
def test_an_ecr_password_is_read_or_refused(token):
    try:
        found = _decoded({"authorizationToken": token}, "ecr.example")
    except AwsRefused:
        return
    assert isinstance(found.username, str)


ENVELOPES = ANY.map(lambda value: json.dumps({"errors": value})) | ANY.map(
    lambda value: json.dumps({"errors": [value, value]})
)
CODED = st.builds(lambda code, message: json.dumps({"errors": [{"code": code, "message": message}]}), ANY, ANY)


@fuzzed(
    (ENVELOPES | CODED | st.text() | made_of(*JSON, '{"errors":', "<html>", "\x1b[2J")).map(str.encode) | st.binary()
)
def test_an_error_body_becomes_one_short_line(body):
    codes, words = read_words(body)

    assert len(codes) <= 5
    assert words.isprintable()
    assert len(words) <= 300
