"""What the laws have found once: kept as cases, so that they are tried in every run."""

import json

import pytest
from builders import image

from syncer.cli.limits import seconds
from syncer.config import values
from syncer.ecr.keychain import _decoded
from syncer.errors import AwsRefused, StalePlan
from syncer.oci.origin import Origin
from syncer.oci.platform import Platform
from syncer.oci.reference import Reference
from syncer.plan.model import Copy, Plan
from syncer.plan.schema import dump, load
from syncer.registry.urls import shown_url
from syncer.settings.bandwidth import Timetable
from syncer.settings.ecr_hosts import almost
from syncer.settings.proxies import proxy_for, shown_proxy

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (seconds, "\u0663d"),
        (values.duration, "\u0663d"),
        (values.timeout, "\u0663s"),
        (values.floor, "\u0663k"),
        (Timetable.parse, "\u0663M"),
        (Timetable.parse, "\u0660\u0668:00,1M"),
        (values.role_arn, "arn:aws:iam::12345678901\u0662:role/a"),
        (values.role_arn, "arn:aws:iam::123456789012:role/\xe9"),
        (Platform.parse, "linux/\u212a8"),
        (values.tag_or_glob, "*" * 513),
    ],
)
def test_digits_and_letters_are_those_of_ascii_and_few(parse, text):
    with pytest.raises(ValueError, match=r"\S"):
        parse(text)


@pytest.mark.parametrize("port", ["\xb2", "\u0663", "1" * 5000])
def test_a_port_that_is_none_excludes_nothing_from_the_proxy(port):
    environ = {"https_proxy": PROXY, "no_proxy": f"registry.example:{port}"}

    assert proxy_for(Origin.parse("https://registry.example"), None, environ) == PROXY


@pytest.mark.parametrize("suffix", ["on.aws", "amazonaws.com"])
def test_a_partition_of_one_suffix_is_named_with_it(suffix):
    assert "c2s.ic.gov?" in almost(f"123456789012.dkr.ecr.us-iso-east-1.{suffix}")


@pytest.mark.parametrize("text", ["1234567", "123456789", "1.001G", "1000.5", "08:00,1234567 23:00,off"])
def test_a_rate_is_not_rounded_when_it_is_shown(text):
    assert Timetable.parse(str(Timetable.parse(text))) == Timetable.parse(text)


def test_no_deadline_of_a_plan_is_endless():
    root, nginx = image(b"a").root.descriptor, Reference.parse("nginx:1")
    document = json.loads(dump(Plan("f", "0", "2026-01-01T00:00:00+00:00", (Copy(nginx, root, root, "origin", ()),))))
    document["copies"][0]["deadline"] = float("inf")

    with pytest.raises(StalePlan, match="deadline"):
        load(json.dumps(document))


@pytest.mark.parametrize("token", ["\xe9", 5, None, "Og", "/w=="])
def test_an_ecr_token_that_is_no_text_is_a_refusal(token):
    with pytest.raises(AwsRefused, match="cannot be read"):
        _decoded({"authorizationToken": token}, "ecr.example")


@pytest.mark.parametrize(
    "url", ["https://u:c4nary@cdn.example/a://b", "u:c4nary@://cdn.example", "u:c4nary@cdn.example"]
)
def test_what_stands_before_an_at_sign_is_not_shown(url):
    assert "c4nary" not in shown_url(url)
    assert "c4nary" not in shown_proxy(url) or "://" not in url
