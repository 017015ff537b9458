"""What a run knows: who has what, who is busy with it, what was prepared, what is kept."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from builders import World

from syncer.content.places import Place
from syncer.errors import Denied
from syncer.oci.descriptor import Descriptor
from syncer.oci.digest import Digest
from syncer.oci.names import RepositoryName
from syncer.transfer.crowd import for_each
from syncer.transfer.holdings import Holdings, Leaders, Locks, Prepared
from syncer.transfer.shelf import Shelf, Shelved, Windows
from syncer.transfer.turns import Turns

A, B = (Place("east", RepositoryName(name)) for name in "ab")
ONE, TWO, THREE = (Digest.of(text) for text in (b"1", b"2", b"3"))


def test_a_committed_place_is_preferred_for_mounts():
    holdings = Holdings()
    holdings.add(A, [ONE], committed=False)
    holdings.add(B, [ONE], committed=True)

    assert holdings.elsewhere("east", ONE, committed=False) == B
    assert holdings.elsewhere("west", ONE, committed=False) is None


def test_what_is_not_committed_is_offered_only_where_that_is_enough():
    holdings = Holdings()
    holdings.add(A, [ONE], committed=False)

    assert holdings.elsewhere("east", ONE, committed=True) is None
    assert holdings.elsewhere("east", ONE, committed=False) == A


def test_what_was_committed_stays_so_until_it_is_forgotten():
    holdings = Holdings()
    holdings.add(A, [ONE], committed=True)
    holdings.add(A, [ONE], committed=False)
    assert holdings.elsewhere("east", ONE, committed=True) == A

    holdings.miss(A, [ONE, TWO])
    assert not holdings.has(A, ONE)


def test_nobody_asks_twice_about_what_was_seen_or_missed():
    holdings, three = Holdings(), [Descriptor("a/b", digest, 1) for digest in (ONE, TWO, THREE)]
    holdings.add(A, [ONE], committed=True)
    holdings.miss(A, [TWO])

    assert [d.digest for d in holdings.unknown(A, three)] == [THREE]
    assert holdings.unknown(B, three) == three
    holdings.add(A, [TWO], committed=False)
    assert holdings.has(A, TWO)


async def test_who_needs_the_same_keys_in_another_order_waits_in_no_circle():
    locks = Locks()

    async def work(keys: str) -> None:
        async with locks.all_held(keys):
            await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.gather(*(work(keys) for keys in ("abc", "cba", "bb", "ca"))), 5)


def test_only_who_began_later_waits_for_a_leader_and_only_until_it_ends():
    leaders, ended = Leaders(), asyncio.Event()
    first, second = leaders.next_number(), leaders.next_number()
    leaders.lead(("east", ONE), second, ended)

    assert leaders.earlier(("east", ONE), first) is None
    assert leaders.earlier(("east", ONE), leaders.next_number()) is ended
    ended.set()
    assert leaders.earlier(("east", ONE), leaders.next_number()) is None


async def test_a_key_has_one_holder_and_a_failure_frees_it():
    locks, inside, most = Locks(), 0, 0

    async def work(number: int) -> None:
        nonlocal inside, most
        async with locks.held("key"):
            inside, most = inside + 1, max(most, inside + 1)
            await asyncio.sleep(0)
            inside -= 1
            if number % 2:
                raise Denied("no")

    await asyncio.gather(*(work(number) for number in range(6)), return_exceptions=True)

    assert most == 1


async def test_a_turn_comes_first_to_who_is_urgent_then_to_who_came_first():
    turns, had = Turns(1, lambda number: number == 3), []

    async def work(number: int) -> None:
        async with turns.one(number):
            had.append(number)
            await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.gather(*(work(number) for number in range(5))), 5)

    assert had == [0, 3, 1, 2, 4]


async def test_a_turn_of_who_is_cancelled_is_passed_on():
    turns, had = Turns(1, lambda _: False), []

    async def work(number: int) -> None:
        async with turns.one(number):
            had.append(number)

    async with turns.one(0):
        waiting = [asyncio.create_task(work(number)) for number in (1, 2, 3)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # while it waits
    waiting[1].cancel()  # when its turn has just come
    await asyncio.wait_for(asyncio.wait(waiting), 5)
    await asyncio.wait_for(work(4), 5)

    assert had == [3, 4]


async def test_a_repository_is_prepared_once_also_where_that_fails():
    world, asked = World(), Counter()
    registry, name = world.targets["east"], RepositoryName("app")

    async def refuse(_name: RepositoryName) -> bool:
        asked["prepare"] += 1
        raise Denied("no")

    registry.prepare = refuse
    prepared = Prepared(world.attempts)
    found = await asyncio.gather(*(prepared.created(registry, name) for _ in range(3)), return_exceptions=True)

    assert [type(error) for error in found] == [Denied] * 3
    with pytest.raises(Denied):
        await prepared.created(registry, name)
    assert asked["prepare"] == 1


def test_the_shelf_lets_go_of_what_was_used_longest_ago():
    shelf = Shelf(10)
    shelf.put(ONE, Shelved(b"x" * 4, ()))
    shelf.put(TWO, Shelved(b"x" * 4, ()))
    shelf.get(ONE)
    shelf.put(THREE, Shelved(b"x" * 4, ()))

    assert [bool(shelf.get(digest)) for digest in (ONE, TWO, THREE)] == [True, False, True]


async def test_windows_are_given_back_by_who_is_cancelled():
    windows = Windows(10)

    async def hold() -> None:
        async with windows.taken(10):
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await asyncio.sleep(0)
    holder.cancel()

    async with asyncio.timeout(1), windows.taken(10):
        pass


async def test_a_crowd_is_never_larger_than_allowed_and_takes_items_as_it_goes():
    taken, done, at_once, most = 0, 0, 0, 0

    def items():
        nonlocal taken
        for number in range(20):
            taken += 1
            assert taken - done <= 3
            yield number

    async def work(_number: int) -> None:
        nonlocal at_once, most, done
        at_once, most = at_once + 1, max(most, at_once + 1)
        await asyncio.sleep(0)
        at_once, done = at_once - 1, done + 1

    await for_each(items(), work, 3)

    assert (taken, done, most) == (20, 20, 3)


async def test_one_failure_ends_a_crowd():
    done = []

    async def work(number: int) -> None:
        if number == 2:
            raise Denied("no")
        done.append(number)

    with pytest.raises(ExceptionGroup):
        await for_each(range(100), work, 1)

    assert done == [0, 1]
