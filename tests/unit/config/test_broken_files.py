"""Every mistake is found, with its code, its place, and words that help.

In the table, the file is `WHOLE` with something put in the place of something else; `at` is the text at whose
first character the problem must point, looked for in the whole broken file.
"""

import pytest

WHOLE = """\
version: 1
registries:
  docker.io:
    mirrors:
      - https://mirror.example.com
      - url: https://m.daocloud.io/docker.io
        trust: content
        limits: {in_flight: 4, per_second: 2}
    resolve: [origin, agreement]
    keep_for: 7d
    auth: {username: joe, password: s3cr3t-canary}
    tls: {verify: true}
    proxy: http://proxy.example.com:3128
targets:
  beijing:
    registry: 123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn
    profile: china
    repositories:
      tag_mutability: MUTABLE
      encryption: {type: KMS, kms_key: alias/x}
      lifecycle: {keep_last: 50}
  local:
    registry: localhost:5001
defaults:
  targets: [beijing, local]
  target: "{repository}"
images:
  - source: nginx
    target: base/nginx
    tags: ["1.27", 1.27-alpine]
    platforms: [linux/amd64]
  - source: redis:7.4
    target: base/redis:7.4-cn
"""
ECR = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
TWICE = "&a x:1\n    target: x:1\n  - {source: 'b:1', target: *a}"
CHOSEN = 'tags: ["1.27", 1.27-alpine]'

# what is replaced, by what; the code; where it must point; a part of the message
BROKEN = [
    ("profile: china", "sparse_indexes: true", "E105", "sparse_indexes", "Amazon ECR takes no sparse index"),
    # hosts
    (ECR, ECR.removesuffix(".cn"), "E112", ECR.removesuffix(".cn"), f"did you mean {ECR}?"),
    (ECR, ECR[1:], "E112", ECR[1:], "ACCOUNT has 12 digits"),
    # keys
    ("source: nginx", "sorce: nginx", "E102", "sorce", 'unknown key "sorce", did you mean "source"?'),
    ("source: nginx", "sorce: nginx", "E103", "sorce", 'the key "source" is missing'),
    ("targets:\n  beijing", "tragets:\n  beijing", "E102", "tragets", 'did you mean "targets"?'),
    ("per_second: 2", "per_minute: 2", "E102", "per_minute", 'unknown key "per_minute"'),
    ("trust: content", "trusts: content", "E102", "trusts", 'did you mean "trust"?'),
    ("keep_last: 50", "keep_lst: 50", "E102", "keep_lst", 'did you mean "keep_last"?'),
    ("tls: {verify: true}", "tls: {verfy: true}", "E102", "verfy", 'did you mean "verify"?'),
    ("platforms: [linux/amd64]", "platforms: {onyl: linux/amd64}", "E102", "onyl", 'did you mean "only"?'),
    ("version: 1\n", "", "E103", "registries", 'the key "version" is missing'),
    ("registry: localhost:5001", "profile: x", "E103", "profile: x", 'the key "registry" is missing'),
    ("username: joe, ", "", "E103", "{password", 'the key "username" is missing'),
    (", password: s3cr3t-canary", "", "E103", "{username", "needs `password`"),
    ("  targets: [beijing, local]\n", "", "E103", "source: nginx", 'the key "targets" is missing, here and in'),
    ("    target: base/nginx\n", "    source: x\n", "E104", "source: x", 'duplicate key "source" (first on line 28)'),
    ("targets:\n", "registries: {}\ntargets:\n", "E104", "registries: {}", "(first on line 2)"),
    ("    mirrors:", "    mirrors: []\n  index.docker.io:\n    mirrors:", "E104", "index", "docker.io again"),
    # kinds of values
    ("version: 1", "version: 2", "E105", "2", "must be 1"),
    ("version: 1", "version:", "E105", "\nregistries", '"version" has no value'),
    (CHOSEN, "tags: ~", "E105", "~", '"tags" has no value'),
    (CHOSEN, "tags: []", "E105", "[]", "must not be empty"),
    (CHOSEN, "tags: [a, b, a]", "E105", "a]", "stands in the list twice"),
    (CHOSEN, "tags: [[a]]", "E105", "[a]]", "must be text, not a list"),
    ("in_flight: 4", "in_flight: many", "E105", "many", 'must be a whole number, not "many"'),
    ("in_flight: 4", "in_flight: 0", "E105", "0,", "must be at least 1"),
    ("per_second: 2", "per_second: fast", "E105", "fast", "must be a number"),
    ("per_second: 2", "per_second: nan", "E105", "nan", "must be a number"),
    ("verify: true", "verify: maybe", "E105", "maybe", "must be true or false"),
    ("trust: content", "trust: all", "E105", "all\n", "must be one of 'content' or 'tags'"),
    ("[origin, agreement]", "[origin, agrement]", "E105", "agrement", "must be one of 'origin', 'agreement'"),
    ("[origin, agreement]", "[origin, origin]", "E105", "origin]", "twice"),
    ("keep_for: 7d", "keep_for: 7", "E105", "7\n", "must be a time such as 7d"),
    ("keep_for: 7d", "timeouts: {stall: 30}", "E105", "30}", "must be a time such as 500ms"),
    ("keep_for: 7d", "timeouts: {stall: 0s}", "E105", "0s}", "must be a time such as 500ms"),
    ("keep_for: 7d", "timeouts: {headers: 8d}", "E105", "8d}", "of at most 7d"),
    ("keep_for: 7d", "timeouts: {floor: fast}", "E105", "fast}", "a rate in bytes per second"),
    ("keep_for: 7d", "timeouts: {header: 1s}", "E102", "header:", 'did you mean "headers"?'),
    ("keep_for: 7d", "timeouts: 30s", "E105", "30s", "must be a mapping, not text"),
    ("target: base/nginx", "deadline: soon", "E105", "soon", "must be a time such as 500ms"),
    ("- source: redis:7.4", "- deadline: 0\n    source: redis:7.4", "E105", "0\n", "must be a time such as 500ms"),
    ("keep_for: 7d", "keep_for: 7 days", "E105", "7 days", "must be a time such as 7d"),
    ("tag_mutability: MUTABLE", "tag_mutability: FIXED", "E105", "FIXED", "must be one of 'MUTABLE'"),
    ("tag_mutability: MUTABLE", "tag_mutability: MUTABLE_WITH_EXCLUSION", "E105", "tag_mut", "need each"),
    ("type: KMS, ", "", "E105", "kms_key", "`kms_key` needs `type: KMS`"),
    ("- source: nginx\n", "- nginx\n  - source: nginx\n", "E105", "nginx\n  - s", "must be a mapping, not text"),
    ("limits: {in_flight: 4, per_second: 2}", "limits: 4", "E105", "4\n", "must be a mapping, not text"),
    ("https://mirror.example.com", "m.daocloud.io/docker.io/", "E105", "https://m", "is already on line 5"),
    ("profile: china", "external_id: x", "E105", "external_id", "belongs to a `role_arn`"),
    ("registry: localhost:5001", "registry: localhost:5001\n    profile: x", "E105", "profile: x", "for Amazon ECR"),
    ("tls: {verify: true}", "tls: {ca: x.pem, plain_http: true}", "E105", "x.pem", "means nothing"),
    ("target: base/redis:7.4-cn", "tags: 7.2", "E105", "tags: 7.2", "`source` already names a tag"),
    ("target: base/nginx", "target: base/nginx:one", "E105", "base/nginx:one", "exactly one tag"),
    ("  local:", "  lo cal:", "E105", "lo cal", "is no name for a target"),
    ("[linux/amd64]", "[linux/amd64]\n    <<: x", "E105", "<<", "merges a mapping"),
    # variables
    ("source: nginx", "source: ${IMAGE}", "E106", "${IMAGE}", "the variable IMAGE is not set"),
    ("base/nginx", "base/${A}/${B}", "E106", "${B}", "the variable B is not set"),
    ("base/nginx", "base/${A:?say which}", "E106", "${A", "say which"),
    ("base/nginx", "base/${A-b}", "E106", "${A-b}", "${NAME:-default}"),
    ("base/nginx", "base/${A", "E106", "${A", "not closed"),
    # later versions
    (CHOSEN, 'tags: {semver: ">=1"}', "E109", "{semver", "comes with a later version"),
    ("source: nginx", 'source: "quay.io/team/**"', "E109", '"quay.io', "comes with a later version"),
    # what goes where
    ("target: base/redis:7.4-cn", "target: base/nginx:1.27", "E110", "redis:7.4", "(first on line 28)"),
    ("redis:7.4\n    target: base/redis:7.4-cn", "localhost:5001/x:1", "E110", "localhost:5001/x", "onto itself"),
    ("localhost:5001", ECR, "E110", "nginx\n", 'the targets "beijing" and "local" of this image are one place'),
    ("redis:7.4\n    target: base/redis:7.4-cn", TWICE, "E110", "'b:1'", "two sources write x:1"),
    ("[beijing, local]", "[bejing, local]", "E111", "bejing", 'unknown target "bejing", did you mean "beijing"?'),
    ("target: base/nginx", "targets: nowhere", "E111", "nowhere", 'unknown target "nowhere"'),
    # grammars
    ("source: nginx", "source: quay.io/Team/x", "E112", "quay.io", "it must be lowercase"),
    ("source: nginx", "source: https://nginx", "E112", "https://nginx", "is a URL"),
    ("source: redis:7.4", "source: busybox@sha256:abc", "E112", "busybox", "64 lowercase hex digits"),
    ("1.27-alpine", "-alpine", "E112", "-alpine", "is no tag"),
    ("1.27-alpine", '"1.[27"', "E112", '"1.[27"', "is no pattern for tags"),
    ("[linux/amd64]", "[amd64]", "E112", "amd64", "is no platform"),
    ("docker.io:\n", "my_host.example:\n", "E112", "my_host", "has no underscore"),
    ("https://mirror.example.com", "https://joe:pw@mirror.example.com", "E112", "https://joe", "must not stand in"),
    ("https://mirror.example.com", "https://mirror.example.com?x=1", "E112", "https://mirror.ex", "a query"),
    ("https://mirror.example.com", "ftp://mirror.example.com", "E112", "ftp://", "neither https nor http"),
    ("https://mirror.example.com", "https://mirror.example.com/v2/", "E112", "https://mirror.ex", "leave /v2/ out"),
    ("localhost:5001", "http://localhost:5001", "E112", "http://localhost", "without a scheme"),
    ("localhost:5001", "localhost:500100", "E112", "localhost:500100", "port"),
    ("http://proxy.example.com:3128", "proxy.example.com", "E112", "proxy.example.com\n", "with its scheme"),
    ("profile: china", "role_arn: syncer", "E112", "syncer", "must be a role's ARN"),
    ("redis:7.4\n    target: base/redis", "a:5000/redis\n    target: '{registry}/x'", "E101", None, "not valid"),
    ("target: base/nginx", "target: Base", "E112", "Base", "lowercase"),
    # files
    ("tls: {verify: true}", "tls: {ca: certs/no.pem}", "E113", "certs/no.pem", 'no.pem" cannot be read: no such'),
    ("password: s3cr3t-canary", "password: file:/nowhere/x", "E113", "file:/nowhere", "cannot be read"),
    ("password: s3cr3t-canary", "password_file: .", "E113", ".}", "cannot be read"),
    # templates
    ("base/nginx", '"{repo}/x"', "E114", '"{repo}', 'unknown placeholder "{repo}"'),
    ("base/nginx", '"{name"', "E114", '"{name"', "a brace stands alone"),
    ('"{repository}"', '"{name}:1"', "E114", '"{name}:1"', "a default cannot name one tag"),
    # YAML
    ("  - source: nginx", "\t- source: nginx", "E101", "\t- source", "indent with spaces"),
    ("[beijing, local]", "[beijing, local", "E101", ': "{repo', "not valid YAML"),
    ("source: nginx", "source: a: b", "E101", ": b", "not valid YAML"),
    ("username: joe", "username: ${HUB_USER}", "E101", "{HUB_USER", "put quotes around"),
    ("source: nginx", "source: *nginx", "E101", "*nginx", "no anchor is called &nginx"),
    ("source: nginx", "source: !!python/name:os.system nginx", "E101", "!!python", "is not allowed; values are text"),
    ("source: nginx", "? [a, b]\n    : c\n    source: nginx", "E105", "[a, b]", "a key must be text"),
    ("defaults:", "---\ndefaults:", "E101", "---", "a second document"),
    ("source: nginx", "source: &x [*x]", "E108", "*x", "contains itself"),
    ("source: nginx", "source: " + "[" * 40 + "]" * 40, "E108", None, "deeper than 32"),
]  # fmt: skip


def place(text: str, at: str) -> tuple[int, int]:
    """Line and column of the first `at` in `text`."""
    before = text[: text.index(at)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def test_the_whole_file_has_no_mistake(problems) -> None:
    assert problems(WHOLE) == []
    assert len(BROKEN) > 80


@pytest.mark.parametrize(("old", "new", "code", "at", "part"), BROKEN)
def test_a_mistake_is_found_where_it_is(problems, old, new, code, at, part) -> None:
    assert WHOLE.count(old) >= 1, "the table is out of step with the file"
    text = WHOLE.replace(old, new, 1)

    found = [problem for problem in problems(text) if problem.code == code and part in problem.message]

    assert found, problems(text)
    if at is not None:
        assert place(text, at) in [(problem.line, problem.column) for problem in found]


@pytest.mark.parametrize(("old", "new"), [row[:2] for row in BROKEN])
def test_no_message_has_the_password_of_the_file(problems, old, new) -> None:
    shown = [problem.message + problem.excerpt for problem in problems(WHOLE.replace(old, new, 1))]

    assert shown
    assert "s3cr3t-canary" not in "".join(shown)


def test_an_undefined_password_is_one_mistake_and_not_an_empty_one_too(problems) -> None:
    found = problems(WHOLE.replace("password: s3cr3t-canary", "password: '${PASSWORD}'"))

    assert [problem.code for problem in found] == ["E106"]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines(problems) -> None:
    text = WHOLE
    for old, new in [
        ("version: 1", "version: x"),
        ("trust: content", "trust: me"),
        ("MUTABLE", "SOFT"),
        ("[beijing, local]", "[paris]"),
        ("linux/amd64", "amd64"),
        ("redis:7.4\n", "redis:${TAG}\n"),
    ]:
        text = text.replace(old, new, 1)

    found = problems(text)

    assert [problem.code for problem in found] == ["E105", "E105", "E105", "E111", "E112", "E106"]
    assert [problem.line for problem in found] == sorted(problem.line for problem in found)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "~", "null # x"])
def test_an_empty_file_is_named_as_such(problems, text) -> None:
    assert [(each.code, each.line, each.message) for each in problems(text)] == [("E107", 1, "the file is empty")]


@pytest.mark.parametrize("text", ["nginx", "[a, b]", '"1"'])
def test_a_file_that_is_no_mapping_is_refused(problems, text) -> None:
    assert [problem.code for problem in problems(text)] == ["E105"]
