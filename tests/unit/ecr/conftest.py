"""The sandbox's ECR, reached by the client's own boto3 as the program reaches it."""

import pytest

from syncer.clock import SystemClock
from syncer.content.memory import MemoryRegistry
from syncer.ecr.api import Api
from syncer.ecr.pace import Pace
from syncer.ecr.registry import EcrRegistry
from syncer.ecr.session import AwsAccess, AwsKeys, ecr_client
from syncer.sandbox.ecr.server import EcrRegion
from syncer.settings.ecr_hosts import parse_host
from syncer.settings.secret import Secret
from syncer.settings.targets import RepositorySettings

CHINA = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"


@pytest.fixture
def clock():
    return SystemClock()


@pytest.fixture
async def region():
    async with EcrRegion("cn-north-1") as region:
        yield region


@pytest.fixture
def connect(region):
    """Makes the Api of the region's registry, with keys of its own."""

    def made(**access):
        given = {"keys": AwsKeys("AKIACHINA", Secret("secret")), "endpoints": region.dial} | access
        host = parse_host(CHINA)
        return Api(lambda: ecr_client(host, AwsAccess(**given)), host.account, CHINA, Pace())

    return made


@pytest.fixture
def api(connect):
    return connect()


@pytest.fixture
def registry(api):
    """The registry as a Registry; its bytes are in memory, for tests of what the API alone answers."""

    def made(settings=None):
        over_http = MemoryRegistry(CHINA)
        return EcrRegistry(over_http, api, settings or RepositorySettings())

    return made
