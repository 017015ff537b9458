"""Values of mirrors.yaml, of the command line and of the environment: read by their grammar, or refused."""

import re
from datetime import datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from fuzzing import fuzzed, made_of
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from syncer.cli.limits import seconds
from syncer.cli.redaction import Redactor
from syncer.config import values
from syncer.config.load import load_bytes
from syncer.config.render import render
from syncer.config.variables import expand
from syncer.errors import ConfigError
from syncer.oci.names import Tag
from syncer.oci.origin import Origin
from syncer.oci.reference import Reference
from syncer.selection.images import Choice
from syncer.selection.tags import Glob
from syncer.settings.bandwidth import Timetable
from syncer.settings.ecr_hosts import PUBLIC_HOSTS, almost, parse_host
from syncer.settings.proxies import proxy_for, shown_proxy

NUMBERS = ("0", "1", "7", "10", "999", "1234567", "\u0663", "\xb2", ".", ".5", "-", "+", "e3", "_", "9" * 12)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "ms": 0.001}
RATES = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}


def read(parse, text):
    """What `parse` makes of `text`; None for its refusal, which is a ValueError as pydantic's own are."""
    try:
        return parse(text)
    except ValueError as refused:
        assert isinstance(refused, PydanticCustomError) or type(refused) is ValueError
        return None


def amount(text, units):
    """The number and unit of `text` as a product; None if it is something else."""
    digits = text.rstrip("".join(units))
    unit = text[len(digits) :]
    sound = re.fullmatch(r"[0123456789]+(\.[0123456789]{1,3})?", digits) and unit in units
    return float(digits) * units[unit] if sound else None


@fuzzed(st.text(max_size=5) | made_of(*NUMBERS, *UNITS, most=4))
def test_a_time_is_a_number_and_a_unit(text):
    kept, waited, run = (read(parse, text) for parse in (values.duration, values.timeout, seconds))

    assert kept is None or text == "0" or (kept == amount(text, UNITS) or kept == 0)
    assert waited is None or (0 < waited <= 7 * 86400 and waited == amount(text, UNITS))
    assert run is None or (run > 0 and text.isascii())
    assert None in (kept, run) or kept == run


@fuzzed(st.tuples(*[st.integers(0, 99999)] * 4))
def test_a_time_of_several_units_is_their_sum(parts):
    text = "".join(f"{count}{unit}" for count, unit in zip(parts, "dhms", strict=True) if count)
    total = timedelta(days=parts[0], hours=parts[1], minutes=parts[2], seconds=parts[3]).total_seconds()

    assert read(seconds, text) == (total or None)


@fuzzed(st.text(max_size=5) | made_of(*NUMBERS, *RATES, "off", "08:00", "24:00", "\u0660\u0668:00", ",", " ", most=6))
def test_a_timetable_is_shown_as_it_can_be_written(text):
    found = read(Timetable.parse, text)
    if found is None:
        return
    again = Timetable.parse(str(found))
    moments = [datetime.combine(datetime(2026, 1, 1), time(hour, 30)) for hour in range(24)]  # noqa: DTZ001 -- times of day

    assert [again.rate(moment) for moment in moments] == [found.rate(moment) for moment in moments]
    assert text.isascii()
    assert all(rate is None or rate >= 1000 for _, rate in found.entries)
    assert "," in text or text.strip() in ("0", "off") or found.entries[0][1] == amount(text.strip(), RATES)


@fuzzed(st.tuples(st.integers(1000, 999_999_999), st.sampled_from(["", "k", "M", "G"]), st.integers(0, 999)))
def test_every_rate_is_shown_exactly(parts):
    text = f"{parts[0]}.{parts[2]:03}{parts[1]}"
    found = Timetable.parse(text)

    assert Timetable.parse(str(found)) == found


URL = (
    "http",
    "https",
    "HTTPS",
    "ftp",
    "://",
    "m.example",
    "M.example",
    ":5000",
    "/",
    "v2",
    "team",
    "A",
    "?",
    "#",
    "@",
    "u:p",
    "..",
)


@fuzzed(st.text() | made_of(*URL, "[::1]", "//", "v2/x", most=8))
def test_a_mirrors_address_is_an_origin_and_a_prefix(text):
    found = read(values.url, text)
    if found is None:
        return
    origin = found.origin("https")
    assert origin == Origin.parse(text)
    assert found.scheme in (None, "http", "https")
    assert found.prefix == text.partition("://")[2 if "://" in text else 0].partition("/")[2].strip("/")
    assert not {"?", "#", "@"} & set(text)


@fuzzed(
    st.text()
    | made_of(
        *URL, "{name}", "{repository}", "{registry}", "{", "}", ":", "1.0", "arn:aws:iam::", "123456789012", ":role/"
    )
)
def test_values_of_the_file_are_read_or_refused(text):
    proxy = read(values.proxy, text)
    template = read(values.template, text)
    registry = read(values.registry_path, text)
    role = read(values.role_arn, text)

    assert not proxy or str(Origin.parse(proxy)) == proxy
    assert template is None or str(template.fill(Reference.parse_name("a.example/b/c")))
    assert registry is None or Reference.parse_name(f"{registry.host}/x").registry == registry.host
    assert not role or (role.isascii() and re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+", role))
    for parse in (
        values.source,
        values.tag_or_glob,
        values.floor,
        values.version,
        values.operator,
        values.default_template,
    ):
        read(parse, text)


@fuzzed(st.text() | made_of("$", "${", "}", "${A}", "${B:-x}", "${C:?y}", "A", ":-", ":?", "{"))
def test_what_a_variable_holds_is_not_read_again(text):
    made, faults = expand(text, {"A": "${B}$$", "B": ""})
    bare = text.replace("${A}", "").replace("$$", "")

    assert "$" in text or (made, faults) == (text, [])
    assert faults or "${A}" not in text or "${B}$$" in made or "$$" in text or "${" in bare


PARTITIONS = (
    "cn-north-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "eusc-de-east-1",
    "us-east-1",
    "us-isof-south-1",
)
SUFFIXES = (
    "amazonaws.com",
    ".cn",
    "on.aws",
    "amazonaws.eu",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "on.amazonwebservices.com.cn",
)
ECR_HOSTS = st.tuples(
    st.sampled_from([".dkr.ecr.", ".dkr-ecr.", ".dkr.ecr-fips."]),
    st.sampled_from(PARTITIONS),
    st.sampled_from(SUFFIXES),
)


@fuzzed(
    ECR_HOSTS.map(lambda parts: f"123456789012{parts[0]}{parts[1]}.{parts[2]}")
    | st.text()
    | made_of("123456789012", ".dkr", ".ecr.", "-", *PARTITIONS, ".", *SUFFIXES)
)
def test_a_host_is_ecr_nearly_so_or_another(text):
    host, near = parse_host(text), almost(text)

    assert host is None or near is None
    assert host is None or text.startswith(f"{host.account}.dkr")
    assert host is None or (f".{host.region}." in text and text not in PUBLIC_HOSTS and text.isascii())
    guess = re.search(r"did you mean (\S+)\?", near or "")
    assert guess is None or parse_host(guess[1]) is not None


ENTRIES = (
    "a.example",
    ".example",
    "*",
    ":443",
    ":\xb2",
    ":" + "1" * 5000,
    "10.0.0.0/8",
    "[::1]",
    "/",
    ",",
    " ",
    "A.EXAMPLE",
    "%",
    "1.1.1.1",
)


@fuzzed(
    st.tuples(
        st.text() | made_of(*ENTRIES), st.text(max_size=8) | made_of("http", "://", "u:p@", "proxy", ":1", most=5)
    )
)
def test_the_environments_proxy_is_used_or_not_whatever_it_says(said):
    excluded, proxy = said
    found = proxy_for(Origin.parse("https://a.example"), None, {"https_proxy": proxy, "NO_PROXY": excluded})

    assert found is None or ("://" in found and proxy.strip() in found)
    assert found is None or "*" not in excluded.replace(",", " ").split()
    assert "@" not in shown_proxy(proxy) or "://" not in proxy


def matches(pattern, text):
    """Whether a pattern of `*`, `?` and plain characters matches, by trying every length of each `*`."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(matches(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and matches(pattern[1:], text[1:])


@fuzzed(st.tuples(st.text(st.sampled_from("ab*?"), max_size=6), st.text(st.sampled_from("ab"), min_size=1, max_size=6)))
def test_a_glob_matches_what_it_says(pair):
    pattern, tag = pair

    assert bool(Glob(pattern).select([Tag(tag)])) == matches(pattern, tag)


@fuzzed(st.text(max_size=20) | made_of("[", "]", "!", "-", "a", "z", "*", "?", "\\", "^", "&&", "||", "--"))
def test_any_pattern_of_a_command_takes_or_takes_not(pattern):
    reference = Reference.parse("nginx:1.27")
    taken = Choice(only=(pattern,)).takes(reference, reference)

    assert taken == any(fnmatchcase(name, pattern) for name in (str(reference), "nginx:1.27"))
    assert not Choice(only=(pattern,), skip=(pattern,)).takes(reference, reference)


KEYS = (
    "version: 1\n",
    "registries:\n",
    "  docker.io:\n",
    "    auth: ",
    "{username: u, ",
    "password: c4nary",
    "}",
    "\n",
    "    mirrors: ",
)
KEYS += (
    "targets: {a: {registry: r.example}}\n",
    "images: [",
    "{source: nginx",
    ", tags: [",
    "1.10",
    "'*'",
    "]",
    "&a ",
    "*a",
    "<<: ",
    ", ",
)
KEYS += (
    "keep_for: ",
    "7d",
    "timeouts: {",
    "limits: {in_flight: ",
    "${A}",
    "!!x ",
    "|\n",
    "? ",
    "- ",
    "defaults: {",
    "target: '{name}'",
)


@fuzzed(st.binary(max_size=80).map(lambda data: data.decode("latin-1")) | made_of(*KEYS, most=25))
def test_any_file_loads_or_all_its_mistakes_have_places(text):
    try:
        made = load_bytes(text.encode(), "m.yaml", {"A": "*a"}, Path("/nonexistent"))
    except ConfigError as error:
        assert error.problems
        assert all(problem.line and problem.column for problem in error.problems)
        assert "\x1b" not in render(error)
        return
    assert all(isinstance(rule.source, Reference) for rule in made.rules)
    assert "c4nary" not in repr(made.registries)


LOGGED = (
    "Authorization",
    ": ",
    "Bearer ",
    "c4nary-value",
    "token=",
    '"secret": "',
    "://u:",
    "@h",
    "x-amz-",
    "password",
    "\n",
    "&",
)


@fuzzed(st.text() | made_of(*LOGGED))
def test_a_known_secret_is_cut_out_of_any_line(text):
    redactor = Redactor()
    redactor.hide(["c4nary-value"])

    assert "c4nary-value" not in redactor(text)
