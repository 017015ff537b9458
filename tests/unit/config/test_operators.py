"""Who runs a mirror, by its host."""

import pytest

from syncer.config.operators import operator_of


@pytest.mark.parametrize(
    ("host", "operator"),
    [
        ("m.daocloud.io", "daocloud.io"),
        ("docker.m.daocloud.io", "daocloud.io"),
        ("6kx4zyno.mirror.aliyuncs.com", "aliyuncs.com"),
        ("other.mirror.aliyuncs.com", "aliyuncs.com"),
        ("docker.mirrors.ustc.edu.cn", "ustc.edu.cn"),
        ("mirror.example.com.cn", "example.com.cn"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("hub.example.com.hk", "example.com.hk"),
        ("docker.com", "docker.com"),
        ("com.cn", "com.cn"),
        ("registry.co.com", "co.com"),
        ("localhost", "localhost"),
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_an_operator_is_a_registrable_domain(host, operator) -> None:
    assert operator_of(host) == operator
