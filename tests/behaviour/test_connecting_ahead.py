"""Connections that are open before anybody asks."""

import asyncio

import pytest
from hostile import clients, fetch, reply, serving

from syncer.errors import Unreachable
from syncer.settings.registries import Endpoint, Limits


async def test_requests_take_the_connections_that_were_opened_for_them():
    async with serving(reply()) as server, clients() as made:
        await made.connect(Endpoint(server.origin), 3)
        opened, asked = server.connections, len(server.asked)
        await asyncio.gather(*(fetch(made, server.origin) for _ in range(3)))

        assert (opened, asked, server.connections) == (3, 0, 3)


async def test_no_more_connections_are_opened_than_a_host_takes_requests():
    async with serving(reply()) as server, clients() as made:
        await made.connect(Endpoint(server.origin, limits=Limits(in_flight=2)), 50)
        await asyncio.sleep(0.05)

        assert server.connections == 2


async def test_a_connection_that_cannot_be_opened_ahead_is_missed_by_whoever_asks():
    async with serving(reply()) as server:
        gone = server.origin
    async with clients() as made:
        await made.connect(Endpoint(gone), 2)
        with pytest.raises(Unreachable):
            await fetch(made, gone)
