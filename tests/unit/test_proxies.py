"""Which proxy leads where: the environment's words as curl reads them."""

import pytest

from syncer.oci.names import Origin
from syncer.settings.proxies import proxy_for, shown_proxy

HTTPS = Origin.parse("https://registry.example")
HTTP = Origin.parse("http://registry.example")
PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("origin", "environ", "proxy"),
    [
        (HTTPS, {}, None),
        (HTTPS, {"HTTPS_PROXY": PROXY}, PROXY),
        (HTTPS, {"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        (HTTPS, {"https_proxy": "", "HTTPS_PROXY": PROXY}, None),
        (HTTPS, {"HTTP_PROXY": PROXY}, None),
        (HTTP, {"HTTP_PROXY": PROXY}, PROXY),
        (HTTP, {"ALL_PROXY": PROXY}, PROXY),
        (HTTPS, {"all_proxy": "http://all", "HTTPS_PROXY": PROXY}, PROXY),
        (HTTPS, {"HTTPS_PROXY": "proxy.example:3128"}, PROXY),
        (Origin.parse("https://localhost:5000"), {"HTTPS_PROXY": PROXY}, None),
        (Origin.parse("http://127.0.0.1:5000"), {"ALL_PROXY": PROXY}, None),
        (Origin.parse("http://[::1]:5000"), {"ALL_PROXY": PROXY}, None),
    ],
)
def test_the_environment_names_the_proxy(origin, environ, proxy):
    assert proxy_for(origin, None, environ) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "origin", "excluded"),
    [
        ("*", "https://registry.example", True),
        ("registry.example", "https://registry.example", True),
        ("example", "https://registry.example", True),
        (".example", "https://registry.example", True),
        ("*.example", "https://registry.example", True),
        ("REGISTRY.example", "https://registry.example", True),
        ("gistry.example", "https://registry.example", False),
        ("other, registry.example:443", "https://registry.example", True),
        ("registry.example:5000", "https://registry.example", False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.0.0.0/8", "https://registry.example", False),
        ("10.1.2.3", "https://10.1.2.3:5000", True),
        ("10.1.2.3:5000", "https://10.1.2.3", False),
        ("2001:db8::/32", "https://[2001:db8::1]", True),
        ("[2001:db8::1]", "https://[2001:db8::1]", True),
        ("[2001:db8::1]:5000", "https://[2001:db8::1]", False),
        (", ,.", "https://registry.example", False),
    ],
)
def test_no_proxy_excludes_hosts(no_proxy, origin, excluded):
    environ = {"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy}

    assert proxy_for(Origin.parse(origin), None, environ) == (None if excluded else PROXY)


def test_the_configuration_wins_over_the_environment():
    assert proxy_for(HTTPS, PROXY, {"HTTPS_PROXY": "http://other", "NO_PROXY": "*"}) == PROXY
    assert proxy_for(Origin.parse("http://localhost:5000"), PROXY, {}) is None


def test_a_proxy_is_shown_without_its_credential():
    assert shown_proxy("http://user:p@ss@proxy.example:3128") == "http://proxy.example:3128"
