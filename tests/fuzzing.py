"""Laws of parsers: each is tried with a few inputs in every run, always the same, and with many by `make soak`."""

import contextlib
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FEW, MANY = 60, 2_000
MEASURABLE = 0.005  # seconds of CPU: less than that is noise
UNDOUBTED = 0.2  # seconds: what grows with the square takes a hundred times MEASURABLE, and so more than this
LARGEST = 1_000_000  # characters: what is read within MEASURABLE up to here is fast enough


def fuzzed(strategy):
    """Make a test of a law: a function of one input, which asserts what must hold for every one of `strategy`."""

    def decorate(law):
        @pytest.mark.parametrize(
            "examples", [FEW, pytest.param(MANY, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
        )
        def test(examples):
            checks = list(HealthCheck)
            steady = examples == FEW
            limits = settings(
                max_examples=examples, derandomize=steady, database=None, deadline=None, suppress_health_check=checks
            )
            limits(given(strategy)(law))()

        test.__name__, test.__doc__, test.__module__ = law.__name__, law.__doc__, law.__module__
        return test

    return decorate


def made_of(*tokens, most=12):
    """Texts of a grammar's own tokens in any order, with strange characters between them."""
    strange = st.text(
        st.sampled_from("\0\n\t \x1b\x7f\x85\xa0\xb2\u0663\u2028\u212a\ufeff\uff11\U0001f40b%\\'\""), max_size=2
    )
    return st.lists(st.sampled_from(tokens) | strange, max_size=most).map("".join)


HEADERS = st.binary(max_size=200).map(lambda data: data.decode("utf-8", "surrogateescape"))
"""What aiohttp can make of a header field: any bytes."""


def assert_linear(read: Callable[[str], object], part: str) -> None:
    """Ten times `part` takes `read` at most twenty times as long; time is that of this process alone."""
    count = 16
    while (base := min(_cpu(read, part * count), _cpu(read, part * count))) < MEASURABLE:
        count *= 2
        if count * len(part) > LARGEST:
            return
    limit = max(20 * base, UNDOUBTED)
    large = part * (count * 10)
    times: list[float] = []
    while not times or (min(times) > limit and len(times) < 3):
        times.append(_cpu(read, large))
    assert min(times) <= limit, f"{part!r} x {count}: {base:.4f} s, ten times that: {min(times):.4f} s"


def _cpu(read: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    with contextlib.suppress(Exception):  # which error it may be, the laws say; here only its time counts
        read(text)
    return time.process_time() - started
