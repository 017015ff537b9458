"""A region of ECR, and clients that speak to it."""

import ecr_clients
import pytest

from syncer.clock import SteppedClock
from syncer.sandbox.ecr.server import EcrRegion


@pytest.fixture(autouse=True)
def no_aws_of_the_user(monkeypatch, tmp_path):
    """Whatever AWS settings this machine has, they are not seen."""
    (tmp_path / "no-aws").write_text("")
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_DATA_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-aws"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-aws"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
async def region(clock):
    async with EcrRegion("cn-north-1", clock=clock) as running:
        yield running


@pytest.fixture
def registry(region):
    return region.registry


@pytest.fixture
def api(region):
    return ecr_clients.Api("ecr", region.api.address, "cn-north-1")


@pytest.fixture
async def v2(region, api):
    token = (await api.get_authorization_token())["authorizationData"][0]["authorizationToken"]
    async with ecr_clients.connected() as session:
        yield ecr_clients.V2(session, region.plane.address, f"Basic {token}")


@pytest.fixture
async def tagged(v2, team):
    """A repository with 250 tags of one image."""
    pushed = ecr_clients.small()
    await v2.push("team/app", pushed)
    team.content.tags.update({f"v{n}": pushed.digest for n in range(250)})
    return sorted(team.content.tags)


@pytest.fixture
def team(registry):
    """A repository to push to."""
    return registry.create("team/app")
