"""What decides whether a step is tried again."""

from types import SimpleNamespace

import pytest

from syncer.attempts import Attempts, Policy
from syncer.clock import SteppedClock
from syncer.errors import Unreachable
from syncer.transfer.steps import Steps


async def test_where_the_source_was_given_up_nothing_is_delivered_again():
    gone = Unreachable("the source is gone", host="source")
    content = SimpleNamespace(error=gone, given_up=True, let_go=False)
    tried = []

    async def deliver() -> None:
        tried.append(None)
        raise Unreachable("the upload broke", host="target")

    with pytest.raises(Unreachable, match="the source is gone"):
        await Steps(Attempts(Policy(), SteppedClock())).step(deliver, content)
    assert len(tried) == 1
