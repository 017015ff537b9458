"""--only and --skip."""

import pytest

from syncer.oci.reference import Reference
from syncer.selection.images import Choice

SOURCE = Reference.parse("docker.io/library/nginx:1.27")
TARGET = Reference.parse("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/base/nginx:1.27")


@pytest.mark.parametrize(
    ("only", "skip", "taken"),
    [
        ((), (), True),
        (("nginx:*",), (), True),
        (("docker.io/library/nginx:1.27",), (), True),
        (("*/base/*",), (), True),
        (("*cn-north-1*",), (), True),
        (("redis*", "nginx*"), (), True),
        (("nginx",), (), False),
        (("redis*",), (), False),
        ((), ("*cn-north-1*",), False),
        (("nginx*",), ("*:1.27",), False),
        ((), ("redis*",), True),
    ],
)
def test_an_image_is_taken_by_source_or_target(only, skip, taken):
    assert Choice(only, skip).takes(SOURCE, TARGET) is taken
