"""What a right file becomes."""

import hashlib
from pathlib import Path

import pytest
import trustme

from syncer.config.load import load as load_file
from syncer.errors import ConfigError
from syncer.oci.origin import Origin
from syncer.settings.registries import HUB_LIMITS, MIRROR_LIMITS, Limits, Trust, Way
from syncer.settings.rules import Rewrite
from syncer.settings.secret import Secret
from syncer.settings.targets import EncryptionType, Lifecycle, TagMutability

DIGEST = "sha256:" + "a" * 64
ROOT = Path(__file__).parents[3]


@pytest.fixture
def rule(load):
    """The one rule of a file with one target, `local`, from the lines below `source:`."""

    def made(lines: str, extra: str = "", **environ: str):
        head = f"version: 1\ntargets: {{local: {{registry: 'localhost:5001'}}}}\n{extra}images:\n  - "
        return load(head + lines.replace("\n", "\n    "), **environ).rules[0]

    return made


@pytest.fixture
def hub(load):
    """The settings of docker.io from the lines below it."""

    def made(lines: str, **environ: str):
        body = "".join(f"    {line}\n" for line in lines.splitlines())
        rest = "targets: {local: {registry: 'localhost:5001'}}\nimages: [{source: nginx}]\n"
        return load(f"version: 1\nregistries:\n  docker.io:\n{body}{rest}", **environ).registries["docker.io"]

    return made


@pytest.fixture
def target(load):
    """The settings of one target from the lines below it."""

    def made(lines: str):
        body = "".join(f"    {line}\n" for line in lines.splitlines())
        return load(f"version: 1\ntargets:\n  one:\n{body}images: [{{source: nginx}}]\n").targets["one"]

    return made


# --- text ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1.10", "010", "0x1F", "yes", "12_30", "1e3", "2020-01-01", "true", ".5", "1.0"])
def test_a_tag_is_the_text_that_the_file_has(rule, text) -> None:
    wanted = text if not text.startswith(".") else "v.5"

    assert str(rule(f"source: nginx\ntags: [{wanted}]").tags.exact[0]) == wanted


def test_quotes_make_no_difference(rule) -> None:
    assert rule('source: nginx\ntags: ["1.10"]') == rule("source: nginx\ntags: [1.10]")


def test_a_quoted_null_is_text(rule) -> None:
    assert str(rule('source: nginx\ntags: ["null"]').tags.exact[0]) == "null"


# --- rules --------------------------------------------------------------------------------------------------------


def test_a_short_name_is_docker_hub_and_latest(rule) -> None:
    made = rule("source: nginx")

    assert str(made.source) == "docker.io/library/nginx"
    assert [str(tag) for tag in made.tags.exact] == ["latest"]
    assert (str(made.repository), made.rename, made.targets, made.line) == ("library/nginx", None, ("local",), 4)


def test_exact_tags_and_globs_are_told_apart(rule) -> None:
    made = rule("source: nginx\ntags: [1.27, 1.2?, '*-alpine', 'v[0-9]*']")

    assert [str(tag) for tag in made.tags.exact] == ["1.27"]
    assert made.tags.globs == ("1.2?", "*-alpine", "v[0-9]*")


def test_a_tag_in_the_source_is_the_one_tag(rule) -> None:
    made = rule("source: redis:7.4\ntarget: base/redis:7.4-cn")

    assert (str(made.source), [str(tag) for tag in made.tags.exact]) == ("docker.io/library/redis:7.4", ["7.4"])
    assert (str(made.repository), str(made.rename)) == ("base/redis", "7.4-cn")


def test_a_target_tag_that_is_the_source_s_own_is_no_rename(rule) -> None:
    assert rule("source: redis:7.4\ntarget: base/redis:7.4").rename is None


def test_one_scalar_tag_may_be_renamed(rule) -> None:
    assert str(rule("source: redis\ntags: 7.4\ntarget: base/redis:x").rename) == "x"


def test_a_digest_is_pinned_and_gets_the_target_s_tag(rule) -> None:
    made = rule(f"source: busybox@{DIGEST}\ntarget: base/busybox:pinned")

    assert (str(made.source), made.tags.exact) == (f"docker.io/library/busybox@{DIGEST}", ())
    assert str(made.rename) == "pinned"


def test_a_tag_beside_the_digest_is_the_target_s_tag(rule) -> None:
    made = rule(f"source: busybox:1.37@{DIGEST}")

    assert (made.source.tag, str(made.rename)) == (None, "1.37")


def test_a_digest_without_any_tag_is_refused(problems) -> None:
    text = f"version: 1\ntargets: {{a: {{registry: r.example}}}}\nimages: [{{source: busybox@{DIGEST}}}]"

    (problem,) = problems(text)

    assert problem.code == "E103"
    assert "a digest needs a tag at the target" in problem.message


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{repository}", "prometheus/node"),
        ("{name}", "node"),
        ("x/{registry}/{repository}", "x/quay.io/prometheus/node"),
        ("mirror/{name}-cn", "mirror/node-cn"),
    ],
)
def test_templates_are_filled_from_the_source(rule, template, wanted) -> None:
    lines = "source: quay.io/prometheus/node\n"

    assert str(rule(f'{lines}target: "{template}"').repository) == wanted
    assert str(rule(lines, f'defaults: {{target: "{template}"}}\n').repository) == wanted


def test_platforms_are_a_list_a_scalar_or_a_mapping(rule) -> None:
    listed = rule("source: nginx\nplatforms: [linux/amd64]").platforms
    never = rule("source: nginx\nplatforms: {only: linux/amd64, rewrite: never}").platforms

    assert listed == rule("source: nginx\nplatforms: linux/amd64").platforms
    assert (listed.only, listed.rewrite, never.rewrite) == (never.only, Rewrite.AUTO, Rewrite.NEVER)


def test_a_rule_may_ask_for_all_platforms_against_the_default(rule) -> None:
    default = "defaults: {platforms: linux/amd64, referrers: yes}\n"

    assert str(rule("source: nginx", default).platforms.only[0]) == "linux/amd64"
    assert rule("source: nginx\nplatforms: all", default).platforms is None


def test_referrers_come_from_the_defaults_unless_the_rule_says_otherwise(rule) -> None:
    default = "defaults: {referrers: yes}\n"

    assert rule("source: nginx", default).referrers is True
    assert rule("source: nginx\nreferrers: no", default).referrers is False


def test_without_targets_the_only_target_is_meant(rule) -> None:
    assert rule("source: nginx").targets == ("local",)


def test_two_rules_may_write_different_tags_of_one_repository(load) -> None:
    images = "images: [{source: 'a:1', target: 'x:1'}, {source: 'b:2', target: 'x:2'}]"

    assert len(load(f"version: 1\ntargets: {{t: {{registry: r.example}}}}\n{images}").rules) == 2


def test_two_rules_may_write_one_tag_at_different_targets(load) -> None:
    targets = "{a: {registry: r.example/a}, b: {registry: r.example/b}}"
    images = "[{source: 'a:1', target: 'x:1', targets: a}, {source: 'b:1', target: 'x:1', targets: b}]"

    assert len(load(f"version: 1\ntargets: {targets}\nimages: {images}").rules) == 2


# --- registries ---------------------------------------------------------------------------------------------------


def test_docker_hub_has_its_own_host_and_limits(hub) -> None:
    made = hub("resolve: [plan]\nkeep_for: 0")

    assert str(made.endpoint.origin) == "https://registry-1.docker.io"
    assert (made.endpoint.limits, made.resolve, made.keep_for) == (HUB_LIMITS, (Way.PLAN,), 0)


def test_a_limit_that_is_not_written_keeps_its_default(hub) -> None:
    assert hub("limits: {in_flight: 3}").endpoint.limits == Limits(3, HUB_LIMITS.per_second)
    assert str(hub("limits: {bandwidth: 10M}").endpoint.limits.bandwidth) == "10M"
    assert hub("limits: {per_second: 0}").endpoint.limits == Limits(HUB_LIMITS.in_flight, None)


def test_a_mirror_is_a_text_or_a_mapping(hub) -> None:
    short, long = hub("mirrors: [mirror.example.com, {url: https://m.daocloud.io/docker.io/, trust: tags}]").mirrors

    assert (str(short.endpoint.origin), short.endpoint.prefix) == ("https://mirror.example.com", "")
    assert (short.endpoint.limits, short.trust, short.operator) == (MIRROR_LIMITS, Trust.CONTENT, "example.com")
    assert (long.endpoint.prefix, long.trust, long.operator) == ("docker.io", Trust.TAGS, "daocloud.io")


def test_a_single_mirror_needs_no_list(hub) -> None:
    assert [str(each.endpoint.origin) for each in hub("mirrors: http://a.example:81").mirrors] == [
        "http://a.example:81"
    ]


def test_a_loopback_mirror_is_http_unless_told_otherwise(hub) -> None:
    (plain,) = hub("mirrors: localhost:5002").mirrors
    (told,) = hub("mirrors: {url: localhost:5002, tls: {plain_http: false}}").mirrors

    assert (str(plain.endpoint.origin), str(told.endpoint.origin)) == (
        "http://localhost:5002",
        "https://localhost:5002",
    )


@pytest.mark.parametrize("tls", ["{ca: own.pem}", "{verify: false}"])
def test_a_loopback_host_of_whose_certificate_something_is_said_is_https(hub, tmp_path, tls) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "own.pem")
    (mirror,) = hub(f"mirrors: {{url: localhost:5002, tls: {tls}}}").mirrors

    assert str(mirror.endpoint.origin) == "https://localhost:5002"


def test_a_source_may_be_at_an_ipv6_address(rule) -> None:
    made = rule("source: '[::1]:5000/a/b:1'")

    assert (made.source.registry, str(made.source.repository)) == ("[::1]:5000", "a/b")


def test_a_mirror_has_every_key_that_a_registry_has(hub) -> None:
    keys = "auth: {username: u, password: p}, proxy: http://p.example:1, token_realms: [auth.example], operator: Me"
    (made,) = hub(f"mirrors: [{{url: m.example, {keys}}}]").mirrors

    assert (made.endpoint.auth.username, made.endpoint.auth.password) == ("u", Secret("p"))
    assert (made.endpoint.proxy, made.operator) == ("http://p.example:1", "me")
    assert made.endpoint.token_realms == (Origin.parse("https://auth.example"),)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7d", 604800), ("12h", 43200), ("30m", 1800), ("90s", 90), ("0", 0), ("0d", 0), ("2w", 1209600)],
)
def test_times_are_a_number_and_a_unit(hub, text, seconds) -> None:
    assert hub(f"keep_for: {text}").keep_for == seconds


def test_registries_are_known_by_their_one_name(load) -> None:
    made = load(
        "version: 1\nregistries: {Registry-1.docker.io: {keep_for: 1h}, localhost:5000: {}}\n"
        "targets: {a: {registry: r.example}}\nimages: [{source: nginx}]"
    )

    assert sorted(made.registries) == ["docker.io", "localhost:5000"]
    assert str(made.registries["localhost:5000"].endpoint.origin) == "http://localhost:5000"


def test_a_ca_is_found_beside_the_file(hub, tmp_path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "corp.pem")

    assert hub("tls: {ca: corp.pem}").endpoint.tls.ca == tmp_path / "corp.pem"


def test_a_ca_that_is_none_is_refused(problems, tmp_path) -> None:
    (tmp_path / "corp.pem").write_text("x")

    found = problems("version: 1\nregistries: {docker.io: {tls: {ca: corp.pem}}}")

    assert '"corp.pem" holds no certificates in PEM form' in [problem.message for problem in found]


def test_trusting_a_mirror_about_tags_is_enough_to_ask_it(hub) -> None:
    mirrors = "mirrors: {url: m.example, trust: tags}"

    assert hub("keep_for: 7d").resolve == (Way.ORIGIN, Way.AGREEMENT)
    assert hub(mirrors).resolve == (Way.ORIGIN, Way.AGREEMENT, Way.MIRROR)
    assert hub(f"{mirrors}\nresolve: origin").resolve == (Way.ORIGIN,)


# --- secrets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["password: file:token", "password_file: token"])
def test_a_password_may_come_from_a_file_without_its_last_line_break(hub, tmp_path, spelling) -> None:
    (tmp_path / "token").write_text("s3cr3t\n")

    assert hub(f"auth: {{username: u, {spelling}}}").endpoint.auth.password == Secret("s3cr3t")


def test_a_variable_s_value_is_never_taken_for_a_file(hub) -> None:
    made = hub('auth: {username: u, password: "${P}"}', P="file:/nowhere")

    assert made.endpoint.auth.password == Secret("file:/nowhere")


def test_an_empty_user_is_no_auth(hub) -> None:
    assert hub('auth: {username: "${U:-}", password: "${P:-}"}').endpoint.auth is None


@pytest.mark.parametrize(
    ("content", "part"), [(b"\n", "is empty"), (b"\xffs3cr3t", "not UTF-8"), (b"s3cr3t" * 20_000, "larger than 64 KiB")]
)
def test_a_file_that_holds_no_password_is_refused_and_not_shown(problems, tmp_path, content, part) -> None:
    (tmp_path / "token").write_bytes(content)

    found = problems("version: 1\nregistries: {docker.io: {auth: {username: u, password_file: token}}}")

    assert [part in problem.message for problem in found if problem.code == "E113"] == [True]
    assert "s3cr3t" not in repr(found)


def test_a_user_without_a_password_is_a_mistake(problems) -> None:
    found = problems('version: 1\nregistries: {docker.io: {auth: {username: u, password: "${P:-}"}}}')

    assert "the password is empty" in "".join(problem.message for problem in found)


# --- targets ------------------------------------------------------------------------------------------------------


def test_a_target_s_path_is_a_prefix(target) -> None:
    made = target("registry: Registry.example:5000/team/mirror")

    assert (made.registry, made.prefix) == ("registry.example:5000", "team/mirror")


def test_an_ecr_target_has_all_its_keys(target) -> None:
    made = target(
        "registry: 123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn\n"
        "role_arn: arn:aws-cn:iam::123456789012:role/syncer\nexternal_id: x1\n"
        "repositories: {create: no, tag_mutability: immutable, scan_on_push: yes,\n"
        "  encryption: {type: kms, kms_key: k}, tags: {owner: platform, n: 010},\n"
        "  lifecycle: {untagged_after_days: 14, keep_last: 50}}"
    )

    assert (made.role_arn, made.external_id) == ("arn:aws-cn:iam::123456789012:role/syncer", "x1")
    settings = made.repositories
    assert (settings.create, settings.tag_mutability, settings.scan_on_push) == (False, TagMutability.IMMUTABLE, True)
    assert (settings.encryption.type, settings.encryption.kms_key) == (EncryptionType.KMS, "k")
    assert settings.lifecycle == Lifecycle(14, 50)
    assert settings.tags == (("owner", "platform"), ("n", "010"))


def test_an_exclusion_list_goes_with_its_mutability(target) -> None:
    made = target(
        "registry: 123456789012.dkr.ecr.us-east-1.amazonaws.com\n"
        "repositories: {tag_mutability: IMMUTABLE_WITH_EXCLUSION, mutability_exclusions: [latest, dev-*]}"
    )

    assert made.repositories.mutability_exclusions == ("latest", "dev-*")


# --- the file -----------------------------------------------------------------------------------------------------


def test_anchors_and_merge_keys_work_and_own_keys_win(load) -> None:
    made = load(
        "version: 1\n"
        "x-a: &a {platforms: linux/amd64, referrers: yes}\nx-b: &b {platforms: linux/arm64, targets: [one]}\n"
        "targets: {one: &t {registry: r.example}, two: {<<: *t, registry: s.example}}\n"
        "images: [{source: nginx, <<: [*a, *b]}, {<<: *b, source: redis, targets: two}]\n"
    )

    first, second = made.rules
    assert (str(first.platforms.only[0]), first.referrers, first.targets) == ("linux/amd64", True, ("one",))
    assert (str(second.platforms.only[0]), second.targets) == ("linux/arm64", ("two",))
    assert made.targets["two"].registry == "s.example"


def test_the_sum_is_that_of_the_file_s_bytes(tmp_path) -> None:
    content = b"version: 1\r\ntargets: {a: {registry: r.example}}\r\nimages: [{source: nginx}]\r\n"
    (tmp_path / "mirrors.yaml").write_bytes(content)

    made = load_file(tmp_path / "mirrors.yaml", {})

    assert (made.sha256, made.path) == (hashlib.sha256(content).hexdigest(), str(tmp_path / "mirrors.yaml"))


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_a_file_that_cannot_be_read_is_said_so(tmp_path, name) -> None:
    with pytest.raises(ConfigError) as caught:
        load_file(tmp_path / name, {})

    assert [problem.code for problem in caught.value.problems] == ["E101"]
    assert "cannot be read" in caught.value.problems[0].message


def test_the_project_s_own_file_loads_without_any_variable() -> None:
    made = load_file(ROOT / "mirrors.yaml", {})

    assert len(made.rules) >= 12
    assert sorted(made.targets) == ["beijing", "ningxia"]
    assert made.registries["docker.io"].endpoint.auth is None
    operators = [mirror.operator for mirror in made.registries["docker.io"].mirrors]
    assert operators == ["aliyuncs.com", "ustc.edu.cn", "daocloud.io"]
    assert not [rule for rule in made.rules if rule.tags.globs]


def test_the_package_carries_the_project_s_own_file() -> None:
    assert (ROOT / "syncer" / "mirrors.yaml").read_bytes() == (ROOT / "mirrors.yaml").read_bytes()
