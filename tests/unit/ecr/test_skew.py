"""A clock that is off by half a day: what can be right is right, and what cannot says why."""

from datetime import timedelta

import pytest

from syncer.clock import SteppedClock, SystemClock
from syncer.ecr.keychain import EcrKeychain
from syncer.ecr.skew import off_by
from syncer.errors import AwsCredentials
from syncer.oci.origin import Origin
from syncer.sandbox.ecr.server import EcrRegion

ORIGIN = Origin.parse("https://123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn")


class Elsewhere(SystemClock):
    """The clock of a region that is so many hours ahead of us."""

    def __init__(self, hours: float) -> None:
        self._off = timedelta(hours=hours)

    def now(self):
        return super().now() + self._off


@pytest.fixture
async def region(request):
    """As far ahead as the test says."""
    async with EcrRegion("cn-north-1", clock=Elsewhere(request.param)) as region:
        yield region


@pytest.mark.parametrize("region", [13, -13], indirect=True)
async def test_a_password_is_kept_for_its_life_by_the_clock_of_who_gave_it(api, region):
    stepped = SteppedClock(SystemClock().now())
    keychain = EcrKeychain(api, ORIGIN, stepped)

    first = await keychain.credential(ORIGIN)
    stepped.advance(11.5 * 3600)
    assert await keychain.credential(ORIGIN) == first
    stepped.advance(0.5 * 3600)
    assert await keychain.credential(ORIGIN) != first
    assert [call.operation for call in region.state.calls] == ["GetAuthorizationToken"] * 2


@pytest.mark.parametrize(
    ("region", "words"),
    [(13, "13 h 0 min behind that of AWS"), (-13.5, "13 h 30 min ahead of that of AWS")],
    indirect=["region"],
)
async def test_a_signature_that_is_refused_for_its_time_says_how_far_our_clock_is_off(api, region, words):
    region.switches.checks_time = True

    with pytest.raises(AwsCredentials) as caught:
        await api.call("GetAuthorizationToken", "get_authorization_token")

    assert "InvalidSignatureException: Signature" in caught.value.message
    assert caught.value.message.endswith(f"; the clock of this machine is {words}")
    assert caught.value.hint.startswith("set the clock of this machine")


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}, {"date": "Thu, 01 Jan 2026 00:03:00 GMT"}])
def test_a_clock_that_is_right_enough_or_cannot_be_compared_is_not_blamed(headers):
    assert off_by({"ResponseMetadata": {"HTTPHeaders": headers}}, SteppedClock().now()) is None
