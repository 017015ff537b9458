"""What every report format promises: text in which each image, each failure and each host at fault is found."""

import pytest

from syncer.app import kinds
from syncer.errors import CorruptContent, Failure, NotFound
from syncer.oci.digest import Digest
from syncer.oci.reference import Reference
from syncer.report.model import HostLine, Outcome, Report, Run, Status

NGINX, REDIS = Reference.parse("quay.io/web/nginx:1.27"), Reference.parse("quay.io/db/redis:7")
AT = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/base"
FAILURE = Failure.of(NotFound("no such tag: \x1b[31mred\x1b[0m", host="quay.io"))


def report(*outcomes, **more):
    return Report(Run("id", "sync", "2026-11-24T02:00:00+00:00", 1.5), outcomes, **more)


@pytest.fixture(params=kinds.FORMATS)
def written(request):
    return kinds.load(kinds.FORMATS[request.param])


@pytest.fixture
def text(written):
    copied = Outcome(NGINX, Reference.parse(f"{AT}/nginx:1.27"), Status.COPIED, digest=Digest.of(b"x"), verified=True)
    failed = Outcome(REDIS, Reference.parse(f"{AT}/redis:7"), Status.FAILED, failure=FAILURE)
    blamed = HostLine("m.daocloud.io", 3, 100, CorruptContent("sent other bytes").message)
    return written(report(copied, failed, hosts=(blamed,), warnings=("no tag matches 9.*",)), 1)


def test_it_is_whole_lines(text):
    assert isinstance(text, str)
    assert text.endswith("\n")


def test_every_image_is_in_it_with_its_status(text):
    for name in (NGINX, REDIS, f"{AT}/nginx:1.27", f"{AT}/redis:7"):
        assert str(name) in text
    assert "copied" in text
    assert "failed" in text


def test_a_failure_has_its_code_its_host_and_the_next_step(text):
    assert FAILURE.code in text
    assert FAILURE.host in text
    assert FAILURE.hint in text


def test_a_host_at_fault_and_a_warning_are_named(text):
    assert "m.daocloud.io" in text
    assert "sent other bytes" in text
    assert "no tag matches 9.*" in text


def test_what_strangers_wrote_cannot_steer_a_terminal(text):
    assert "\x1b" not in text


def test_a_run_without_images_is_a_report_too(written):
    assert written(report(), 0)
