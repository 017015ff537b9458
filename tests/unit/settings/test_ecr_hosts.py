"""Which hosts are ECR, and what their names say."""

import pytest

from syncer.settings.ecr_hosts import PUBLIC_HOSTS, EcrHost, almost, parse_host

OWN = [
    {
        "serverURL": "https://123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/base",
        "hasError": False,
        "registry": {"ID": "123456789012", "Region": "cn-north-1", "Service": "ServiceECR", "FIPS": False},
    },
    {"serverURL": "12345678901.dkr.ecr.us-east-1.amazonaws.com", "hasError": True},
    {"serverURL": "123456789012.dkr.ecr.us-east-1.amazonaws.com\n", "hasError": True},
    {"serverURL": "evil-123456789012.dkr.ecr.us-east-1.amazonaws.com", "hasError": True},
    {"serverURL": "123456789012.dkr.ecr.us-east-1.amazonaws.com:8443", "hasError": True},
]


@pytest.mark.table("ecr_hosts", own=OWN)
def test_a_host_is_ecr_or_not(case):
    host = case["serverURL"].removeprefix("https://").split("/")[0]
    expected = case.get("registry", {})
    if case.get("hasError"):
        assert parse_host(host) is None
        assert host not in PUBLIC_HOSTS
    elif expected["Service"] == "ServiceECRPublic":
        assert (parse_host(host), host in PUBLIC_HOSTS) == (None, True)
    else:
        found = parse_host(host)
        assert (found.account, found.region, found.fips) == (expected["ID"], expected["Region"], expected["FIPS"])


def test_dual_stack_is_seen_in_the_name():
    assert parse_host("123456789012.dkr-ecr-fips.us-west-2.on.aws") == EcrHost(
        "123456789012", "us-west-2", fips=True, dual_stack=True
    )


@pytest.mark.parametrize(
    ("host", "guess"),
    [
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com",
            "did you mean 123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn?",
        ),
        (
            "123456789012.dkr.ecr.us-east-1.amazonaws.com.cn",
            "did you mean 123456789012.dkr.ecr.us-east-1.amazonaws.com?",
        ),
        ("12345678901.dkr.ecr.us-east-1.amazonaws.com", "ACCOUNT has 12 digits"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.com", "ACCOUNT has 12 digits"),
    ],
)
def test_a_host_that_is_nearly_ecr_is_told_so(host, guess):
    assert parse_host(host) is None
    assert guess in almost(host)


def test_other_hosts_are_not_taken_for_ecr():
    assert [almost(host) for host in ("localhost:5000", "quay.io", "ecr.example.com")] == [None, None, None]
