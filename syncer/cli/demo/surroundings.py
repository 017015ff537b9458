"""An environment in which neither boto3 nor docker finds anything of the user's."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_THE_USER = re.compile(r"(?:AWS|BOTO|DOCKER|SSL_CERT)_.*|.*_(?:PROXY|CA_BUNDLE)|NETRC", re.IGNORECASE)
_EMPTY = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "BOTO_CONFIG": os.devnull,
    "DOCKER_CONFIG": os.devnull,
}


@contextmanager
def without_the_users_settings() -> Iterator[None]:
    """The process's environment without credentials, proxies and AWS settings while the block runs."""
    before = dict(os.environ)
    for name in before:
        if _OF_THE_USER.fullmatch(name):
            del os.environ[name]
    os.environ.update(_EMPTY)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
