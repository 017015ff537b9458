"""ECR regions in the world: two partitions, two credential chains, roles, replicas of names."""

from __future__ import annotations

import aiohttp
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from ecr_clients import V2, Api, connected, small

from syncer.sandbox.ecr.server import EcrRegion
from syncer.sandbox.world import World

ROLE = "arn:aws-cn:iam::210987654321:role/mirror"


async def test_two_partitions_see_two_access_keys(clock):
    async with World(clock) as world:
        for region, key in (("cn-north-1", "AKIACHINA"), ("cn-northwest-1", "AKIACHINA"), ("us-east-1", "AKIAGLOBAL")):
            made = await world.add_region(region)
            await Api("ecr", made.api.address, region, key).describe_registry()
        china, ningxia, virginia = world.regions.values()
        assert china.state.principals is ningxia.state.principals
        assert china.state.principals.seen == ["AKIACHINA"] * 2
        assert virginia.state.principals.seen == ["AKIAGLOBAL"]
        assert world.dial["https://api.ecr.us-east-1.amazonaws.com"] == virginia.api.address
        assert world.log.count("api.ecr.cn-north-1.amazonaws.com.cn", "POST") == 1


async def test_a_public_region_hands_out_https_names(clock):
    async with EcrRegion("cn-north-1", public=True, clock=clock) as region, connected() as session:
        region.registry.create("team/app")
        token = region.state.tokens.mint("AKIATEST").encoded
        v2 = V2(session, region.plane.address, f"Basic {token}")
        location = await v2.open("team/app")
        assert location.startswith("https://123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/v2/team/app/")
        assert region.bucket.url == "https://prod-cn-north-1-starport-layer-bucket.s3.cn-north-1.amazonaws.com.cn"


async def test_a_role_is_taken_and_used(region, clock):
    region.state.principals.external_ids[ROLE] = "secret-word"
    sts = Api("sts", region.sts.address, "cn-north-1")
    taken = await sts.assume_role(RoleArn=ROLE, RoleSessionName="run", ExternalId="secret-word")
    keys = taken["Credentials"]
    assert taken["AssumedRoleUser"]["Arn"] == "arn:aws-cn:sts::210987654321:assumed-role/mirror/run"
    key = (keys["AccessKeyId"], keys["SessionToken"])
    role = Api("sts", region.sts.address, "cn-north-1", *key)
    assert (await role.get_caller_identity())["Account"] == "210987654321"
    ecr = Api("ecr", region.api.address, "cn-north-1", *key)
    assert (await ecr.get_authorization_token())["authorizationData"][0]["proxyEndpoint"].startswith("https://2109")
    forged = Api("ecr", region.api.address, "cn-north-1", key[0], "forged")
    assert (await forged.error("get_authorization_token"))[0] == "UnrecognizedClientException"
    clock.advance(3601)
    assert (await ecr.error("get_authorization_token"))[0] == "ExpiredTokenException"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"RoleArn": ROLE}, "AccessDenied"),
        ({"RoleArn": ROLE, "ExternalId": "wrong"}, "AccessDenied"),
        ({"RoleArn": ROLE.replace("aws-cn", "aws")}, "ValidationError"),
        ({"RoleArn": ROLE, "DurationSeconds": 43_201}, "ValidationError"),
    ],
)
async def test_a_role_is_refused(region, given, code):
    region.state.principals.external_ids[ROLE] = "secret-word"
    sts = Api("sts", region.sts.address, "cn-north-1")
    assert (await sts.error("assume_role", RoleSessionName="run", **given))[0] == code


async def test_sts_wants_a_signature_for_sts(region):
    async with aiohttp.ClientSession() as session, session.post(region.sts.address, data="Action=Nothing") as response:
        assert (response.status, "MissingAuthenticationToken" in await response.text()) == (400, True)


async def test_each_account_has_its_own_registry(clock):
    accounts = ("111111111111", "222222222222")
    async with EcrRegion("eu-west-1", accounts, clock=clock) as region, connected() as session:
        region.state.principals.add_user("AKIAFIRST", accounts[0])
        first = Api("ecr", region.api.address, "eu-west-1", "AKIAFIRST")
        await first.create_repository(repositoryName="app")
        await first.create_repository(repositoryName="shared", registryId=accounts[1])
        listed = [(await first.describe_repositories(registryId=one))["repositories"] for one in accounts]
        assert [[found["repositoryName"] for found in one] for one in listed] == [["app"], ["shared"]]
        token = f"Basic {region.state.tokens.mint('AKIAFIRST').encoded}"
        second = V2(session, region.planes[accounts[1]].address, token)
        assert (await second.push("shared", small(), "v1")).status == 201
        with pytest.raises(ClientError, match="RepositoryNotFoundException"):
            await first.list_images(repositoryName="app", registryId=accounts[1])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, {}) for name in ("cn-north-1", "us-east-1", "us-gov-west-1")),
        *((name, {"use_dualstack_endpoint": True}) for name in ("cn-north-1", "us-east-1", "us-gov-west-1")),
        *((name, {"use_fips_endpoint": True}) for name in ("us-east-1", "us-gov-west-1")),
    ],
)
async def test_the_hosts_that_botocore_would_ask_are_played(clock, name, kind):
    session = boto3.Session("AKIATEST", "secret", region_name=name)
    wanted = session.client("ecr", config=Config(**kind)).meta.endpoint_url
    async with World(clock) as world:
        region = await world.add_region(name)
        assert world.dial[wanted] == region.dial[wanted] == region.api.address


async def test_the_dual_stack_and_fips_registries_are_the_same_registry(clock):
    async with World(clock) as world:
        china, global_ = await world.add_region("cn-north-1"), await world.add_region("us-west-2")
        await world.add_region("cn-north-1")
        other = "https://123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn"
        assert world.dial[other] == china.plane.address
        for other in ("dkr-ecr.us-west-2.on.aws", "dkr.ecr-fips.us-west-2.amazonaws.com"):
            assert world.dial[f"https://123456789012.{other}"] == global_.plane.address
