"""Who we are at AWS: keys, roles, passwords, and AWS's refusals in our words."""

import asyncio

import pytest
from botocore.exceptions import ReadTimeoutError

from syncer.clock import SteppedClock
from syncer.ecr.api import Api
from syncer.ecr.keychain import EcrKeychain
from syncer.ecr.pace import Pace
from syncer.ecr.session import AwsAccess, AwsKeys, ecr_client
from syncer.errors import AwsCredentials, Denied, Silent, TimedOut, TooManyRequests, Unreachable
from syncer.oci.origin import Origin
from syncer.sandbox.ecr.server import EcrRegion
from syncer.settings.ecr_hosts import parse_host
from syncer.settings.secret import Secret

HOST = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
ORIGIN = Origin.parse(HOST)
ROLE = "arn:aws-cn:iam::123456789012:role/mirror"


async def repositories(api):
    return (await api.call("DescribeRepositories", "describe_repositories"))["repositories"]


async def test_the_keys_that_were_given_sign_the_requests(api, region):
    assert await repositories(api) == []
    assert region.state.principals.seen == ["AKIACHINA"]


async def test_a_role_is_assumed_with_its_external_id(connect, region):
    region.state.principals.external_ids[ROLE] = "ours"
    await repositories(connect(role_arn=ROLE, external_id="ours"))
    assert region.state.calls[-1].access_key.startswith("ASIA")


async def test_a_role_that_is_refused_is_named(connect, region):
    region.state.principals.external_ids[ROLE] = "ours"
    with pytest.raises(Denied, match="mirror"):
        await repositories(connect(role_arn=ROLE, external_id="theirs"))


async def test_keys_that_aws_does_not_know_are_a_matter_of_credentials(connect, region):
    region.state.principals.strict = True
    with pytest.raises(AwsCredentials, match="UnrecognizedClient") as caught:
        await repositories(connect())
    assert caught.value.host == HOST


async def test_a_profile_that_does_not_exist_is_named(connect):
    with pytest.raises(AwsCredentials, match="no-such-profile"):
        await repositories(connect(keys=None, profile="no-such-profile"))


async def test_an_api_that_nobody_serves_is_unreachable(connect):
    closed = {"https://api.ecr.cn-north-1.amazonaws.com.cn": "http://127.0.0.1:1"}
    with pytest.raises(Unreachable, match="DescribeRepositories"):
        await repositories(connect(endpoints=closed))


async def test_a_throttled_call_is_sent_once_and_said_so(connect, region):
    region.switches.quota_factor = 0.0001
    api = connect()

    async def mint():
        for _ in range(9):
            await api.call("GetAuthorizationToken", "get_authorization_token")

    with pytest.raises(TooManyRequests, match="Rate exceeded"):
        await mint()
    assert [call.error for call in region.state.calls].count("ThrottlingException") == 1


async def test_two_partitions_in_one_run_use_two_chains():
    china, ireland = EcrRegion("cn-north-1"), EcrRegion("eu-west-1")
    async with china, ireland:
        for region, key in ((china, "AKIACHINA"), (ireland, "AKIAGLOBAL")):
            host = parse_host(region.names.registry_host("123456789012"))
            access = AwsAccess(keys=AwsKeys(key, Secret("s")), endpoints=china.dial | ireland.dial)
            await repositories(Api(lambda h=host, a=access: ecr_client(h, a), host.account, "registry", Pace()))
        assert [region.state.principals.seen for region in (china, ireland)] == [["AKIACHINA"], ["AKIAGLOBAL"]]


async def test_a_password_is_minted_once_for_all_who_wait(api, region, clock):
    keychain = EcrKeychain(api, ORIGIN, clock)
    found = await asyncio.gather(*(keychain.credential(ORIGIN) for _ in range(20)))
    assert {credential.username for credential in found} == {"AWS"}
    assert sum(call.operation == "GetAuthorizationToken" for call in region.state.calls) == 1


async def test_a_password_is_renewed_before_its_last_fifth(api, region, clock):
    region.switches.token_life = 100
    stepped = SteppedClock(clock.now())
    keychain = EcrKeychain(api, ORIGIN, stepped)
    first = await keychain.credential(ORIGIN)
    stepped.advance(75)
    assert await keychain.credential(ORIGIN) == first
    stepped.advance(10)
    assert await keychain.credential(ORIGIN) != first


async def test_a_refused_password_is_replaced_once_for_all(api, clock):
    keychain = EcrKeychain(api, ORIGIN, clock)
    first = await keychain.credential(ORIGIN)
    renewed = await asyncio.gather(*(keychain.renew(ORIGIN) for _ in range(10)))
    assert first not in renewed
    assert len(set(renewed)) == 1


async def test_other_origins_get_no_password(api, region, clock):
    keychain = EcrKeychain(api, ORIGIN, clock)
    for other in (f"http://{HOST}", f"https://{HOST}:8443", "https://example.com"):
        assert await keychain.credential(Origin.parse(other)) is None
    assert region.state.calls == []


async def test_credentials_that_are_refused_are_not_tried_again_for_every_repository(connect, region):
    region.state.principals.strict = True
    api = connect()
    for _ in range(3):
        with pytest.raises(AwsCredentials):
            await repositories(api)
    assert len(region.state.calls) == 1


async def test_an_api_that_times_out_at_first_contact_is_not_asked_again():
    """Law 5: however many repositories there are, it costs one timeout."""
    calls = []

    class Silence:
        def describe_repositories(self, **_):
            calls.append(1)
            raise ReadTimeoutError(endpoint_url="https://api.ecr.cn-north-1.amazonaws.com.cn")

    api = Api(Silence, "123456789012", HOST, Pace())
    results = await asyncio.gather(*(repositories(api) for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [TimedOut, Silent, Silent, Silent, Silent]
    assert len(calls) == 1
