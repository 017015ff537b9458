"""Ten times as much to read takes ten times as long, whatever it is made of; only this process's own time counts."""

import json
import time
from pathlib import Path

import pytest
from fuzzing import assert_linear

from syncer.cli.limits import seconds
from syncer.cli.redaction import Redactor
from syncer.config import values
from syncer.config.load import load_bytes
from syncer.config.variables import expand
from syncer.oci import strict_json
from syncer.oci.digest import Digest
from syncer.oci.manifest import parse_manifest
from syncer.oci.names import RepositoryName, Tag
from syncer.oci.origin import Origin
from syncer.oci.platform import Platform
from syncer.oci.reference import Reference
from syncer.plan.schema import load
from syncer.registry import headers
from syncer.registry.challenge import parse_challenges
from syncer.registry.failures import read_words
from syncer.registry.urls import located, shown_url
from syncer.selection.tags import Glob
from syncer.settings.bandwidth import Timetable
from syncer.settings.ecr_hosts import almost
from syncer.settings.proxies import proxy_for

ORIGIN = Origin("https", "registry.example", 443)
READERS = {
    "reference": (Reference.parse, ["a", "a/", "a.", "a__", "a:", "@", "[", "A/"]),
    "repository": (RepositoryName, ["a", "a-", "a/", "_"]),
    "tag": (Tag, ["a", "."]),
    "digest": (Digest.parse, ["a", "sha256:"]),
    "platform": (Platform.parse, ["a", "a/", ",osfeature=a", "linux/amd64,"]),
    "origin": (Origin.parse, ["a", "a.", "://", "[", ":", "0"]),
    "location": (lambda text: located(ORIGIN, "/v2/", text), ["a", "/", "?", "://"]),
    "shown": (shown_url, ["a", "://", "@"]),
    "ecr": (almost, ["1", ".dkr.ecr.", "123456789012.dkr.ecr.a", "-"]),
    "no_proxy": (lambda text: proxy_for(ORIGIN, None, {"no_proxy": text}), ["a", "a,", "1", ":1,", "10.0.0.0/8,", "."]),
    "challenge": (lambda text: parse_challenges([text]), ["a=", "a ", 'a="', "\\", "Bearer a=b,", '"', " "]),
    "link": (lambda text: list(headers.links([text])), ["<a>,", "<", ";a", ";a=b", '"', " ", "a;a ", '<a>;a="\\"']),
    "warning": (headers.warning, ["a", '"', "\\", '299 - "']),
    "times": (lambda text: (seconds(text), headers.retry_after(text, None)), ["1", "1d", "Thu, ", "1 ", ":"]),
    "duration": (values.duration, ["1", "d"]),
    "timetable": (Timetable.parse, ["1", "08:00,10M ", "08:00,", ","]),
    "mirror": (values.url, ["a", "a/", "://", "/"]),
    "template": (values.template, ["{", "{name}", "{name", "}", "a/"]),
    "pattern": (values.tag_or_glob, ["*", "[a]", "[a", "[", "?a"]),
    "role": (values.role_arn, ["a", "arn:aws", "arn:aws-a"]),
    "variables": (lambda text: expand(text, {"A": "b"}), ["$", "${", "${A}", "${a:-", "$$", "a"]),
    "json": (lambda text: strict_json.loads(text.encode()), ["[", "[],", "1", '"a"', "\\u0061", '"', " "]),
    "manifest": (lambda text: parse_manifest(json.dumps({"layers": text}).encode(), None), ["a", "[", '"']),
    "plan": (load, ["[", '{"copies":', "1", '"', " "]),
    "error body": (lambda text: read_words(text.encode()), ["a", '{"errors":[', "\x1b", " ", "<"]),
    "log line": (
        Redactor(),
        ["a", "secret", "x-amz-", "token", "authorization: ", "://", "://a:", "password ", "a_", "="],
    ),
}


@pytest.mark.parametrize(("kind", "part"), [(kind, part) for kind, (_, parts) in READERS.items() for part in parts])
def test_reading_takes_linear_time(kind, part):
    assert_linear(READERS[kind][0], part)


@pytest.mark.parametrize("part", ["a", "*a", "*", "?*", "[a]*", "[!b]*a"])
def test_no_pattern_is_matched_for_long(part):
    """Patterns and tags are short; a reader that goes back over what it matched would take ages all the same."""
    started = time.process_time()

    assert Glob((part * 128)[:126] + "c").select([Tag("a" * 127 + "b")]) == []
    assert time.process_time() - started < 1


FLOWS = ["a, ", "k: v, ", "&a b, ", "'${A}', ", "[a], ", "u:p, ", "a@b, ", "!!x y, "]


@pytest.mark.parametrize("part", FLOWS)
def test_a_file_on_one_line_is_read_in_linear_time(part):
    def read(text):
        load_bytes(f"registries: {{docker.io: {{auth: [{text}]}}}}".encode(), "m.yaml", {}, Path("/nonexistent"))

    assert_linear(read, part)


@pytest.mark.parametrize("line", ["a" * 490, "://" * 160, "a:" * 240, "@" * 490])
def test_hundreds_of_mistakes_on_long_lines_are_shown_soon(line):
    def read(text):
        lines = (f"k{number}: '{line}'" for number in range(min(len(text), 499)))
        load_bytes("\n".join(lines).encode(), "m.yaml", {}, Path("/nonexistent"))

    assert_linear(read, "x")
