"""`kill -9` at many points of a run: no tag names anything incomplete, and the next run finishes and repeats nothing.

Two ways to choose the point. A registry that takes everything unseen kills at its n-th request, before or after it has
done it: there nothing but the order of the requests keeps tags whole. And strace kills at the n-th call of a kind, with
a real docker-registry: in the middle of a body, of a line of the state, of a word on stderr.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import killing
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from killing import Aftermath

AT_ONCE = 3  # kills that are tried at the same time
SHARES = (0.2, 0.5, 0.75, 0.97)  # of all requests, or calls
FEW = {"sendto": (0.3, 0.6, 0.9), "pwrite64": (0.9,)}


def swept(directory: Path, points: Iterable[Callable[[Path], Aftermath]]) -> list[Aftermath]:
    """What was seen at each of the points, each in a directory of its own."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: each[1](directory / str(each[0])), enumerate(points)))


def at_requests(directory: Path, source: str, shares: Iterable[float]) -> list[Aftermath]:
    total = killing.requests_made(directory / "whole", source)
    numbers = [(max(1, round(share * total)), ("before", "after")[n % 2]) for n, share in enumerate(shares)]
    return swept(directory, [partial(killing.at_request, source=source, number=n, when=w) for n, w in numbers])


def at_calls(directory: Path, source: str, shares: dict[str, Iterable[float]]) -> list[Aftermath]:
    total = killing.calls_made(directory / "whole", source)
    points = [(call, max(1, round(share * total[call]))) for call, chosen in shares.items() for share in chosen]
    return swept(directory, [partial(killing.at_call, source=source, call=call, number=n) for call, n in points])


def check(found: list[Aftermath]) -> None:
    """P11 for every point; and that the kills came where they were meant to: at work that was neither none nor all."""
    assert all(each.code == -9 for each in found)
    assert [each.wrong for each in found if each.wrong] == []
    assert len({len(each.finished) for each in found}) > 1
    for each in found:
        assert each.again.code == 0, each.again.err
        assert each.sent & each.finished == set()
        assert (each.wrong_at_last, each.tags_at_last) == ([], killing.TAGS)


def test_killed_at_any_request_it_leaves_nothing_incomplete_and_the_next_run_repeats_nothing(origin, tmp_path):
    found = at_requests(tmp_path, origin.host, SHARES)
    check(found)
    assert any(each.tags and len(each.tags) < len(killing.TAGS) for each in found)


def test_killed_at_any_system_call_the_same_holds(origin, tmp_path):
    check(at_calls(tmp_path, origin.host, FEW))


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_killed_at_every_request(origin, tmp_path):
    total = killing.requests_made(tmp_path / "whole", origin.host)
    check(at_requests(tmp_path, origin.host, [n / total for n in range(1, total) for _ in ("before", "after")]))


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_killed_at_one_system_call_in_four(origin, tmp_path):
    check(at_calls(tmp_path, origin.host, {call: [n / 50 for n in range(1, 51)] for call in killing.CALLS}))
