"""S5: a host that only a server named must be public, and what is looked at is the address that is connected to.

A resolver and a connect of our own stand in for the network: names resolve to what a test says, and no packet leaves.
"""

from __future__ import annotations

import asyncio
import socket

import pytest
from hostile import clients, fetch, reply, serving
from hypothesis import given
from hypothesis import strategies as st

from syncer.errors import NetworkError, RedirectRefused, Unreachable
from syncer.oci.origin import Origin
from syncer.registry.addresses import is_public

PRIVATE = """
127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 169.254.170.2 100.100.100.200
0.0.0.0 0.1.2.3 255.255.255.255 224.0.0.1 240.0.0.1 198.18.0.1 192.0.2.1 198.51.100.1 203.0.113.1 192.0.0.192
192.88.99.1 168.63.129.16 ::1 :: fe80::1 fe80::1%eth0 fec0::1 fd00:ec2::254 fc00::1 ff02::1 ff0e::1 2001:db8::1 3fff::1
5f00::1 100::1 4000::1 ::7f00:1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::a9fe:a9fe 2002:a9fe:a9fe:: 2002:7f00:1::1 2002:c0a8:101::
2001:0:4136:e378:8000:63bf:80ff:fffe 2001:0:4136:e378:8000:63bf:f7f7:f7f7
"""
PUBLIC = (
    "8.8.8.8 1.1.1.1 172.32.0.1 192.0.1.1 2606:4700::1111 2a00:1450::1 64:ff9b::8.8.8.8 2002:808:808:: ::ffff:8.8.8.8"
)


def info(address: str, port: int):
    """One row of getaddrinfo."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    where = (address.partition("%")[0], port, 0, 2 if "%" in address else 0) if ":" in address else (address, port)
    return family, socket.SOCK_STREAM, 6, "", where


@pytest.fixture
def network(monkeypatch):
    """`resolves` says what each lookup gives, in turn; `connected` is where it was tried to connect to."""

    class Network:
        def __init__(self):
            self.resolves: list[list[str]] = []
            self.connected: list[str] = []
            self._loop = asyncio.get_running_loop()
            self._connect, self._lookup = self._loop.sock_connect, self._loop.getaddrinfo

        async def lookup(self, host, port, **hints):
            if not str(host).endswith(".example"):
                return await self._lookup(host, port, **hints)
            answer = self.resolves.pop(0) if len(self.resolves) > 1 else self.resolves[0]
            return [info(address, port) for address in answer]

        async def connect(self, sock, address):
            if address[0] == "127.0.0.1" and address[1] in self.open:
                return await self._connect(sock, address)
            self.connected.append(address[0])
            raise ConnectionRefusedError

        open: frozenset[int] = frozenset()

    async def make(*open_ports):
        made = Network()
        made.open = frozenset(open_ports)
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", made.lookup)
        monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", made.connect)
        return made

    return make


@pytest.mark.parametrize("address", PRIVATE.split())
def test_an_address_of_ours_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_an_address_of_the_internet_is_public(address):
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_no_more_public_for_being_wrapped(address):
    text, number = str(address), int(address)
    wrapped = [f"::ffff:{text}", f"64:ff9b::{text}", f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1"]

    assert is_public(text) or not any(map(is_public, wrapped))


@given(st.text(st.characters(blacklist_characters="."), max_size=40).filter(lambda text: text.count(":") < 2))
def test_what_is_no_address_is_not_public(text):
    assert not is_public(text)


async def redirected(location: str, network, *answers: list[str], times: int = 1) -> list[NetworkError]:
    """What comes of following a redirect to `location`, each time with a client of its own."""
    caught = []
    async with serving(reply(307, Location=location)) as mirror:
        found = await network(mirror.origin.port)
        found.resolves = list(answers)
        for _ in range(times):
            async with clients() as made:
                with pytest.raises(NetworkError) as error:
                    await fetch(made, mirror.origin)
            caught.append(error.value)
    caught.append(found.connected)
    return caught


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "127.0.0.1", "::1", "fd00:ec2::254", "::ffff:10.0.0.1", "fe80::1%2"]
)
async def test_a_name_that_leads_to_a_private_address_is_refused_before_a_packet_leaves(network, address):
    error, connected = await redirected("http://rebind.example/latest/meta-data/", network, [address])

    assert isinstance(error, RedirectRefused)
    assert "rebind.example" in str(error)
    assert "not public" in str(error)
    assert connected == []


async def test_a_public_address_may_be_connected_to(network):
    """Else the test above could pass because nothing is ever connected to."""
    error, connected = await redirected("http://cdn.example/blob", network, ["8.8.8.8"])

    assert isinstance(error, Unreachable)
    assert connected == ["8.8.8.8"]


async def test_a_name_that_leads_to_both_is_connected_to_at_the_public_one_only(network):
    both = ["8.8.8.8", "169.254.169.254", "127.0.0.1", "::1"]
    for answer in (both, both[::-1]):
        *_, connected = await redirected("http://both.example/", network, answer)
        assert set(connected) <= {"8.8.8.8"}


async def test_a_name_that_is_public_at_first_is_looked_at_again(network):
    """DNS rebinding: between two lookups the name has moved inside."""
    first, second, connected = await redirected("http://rebind.example/", network, ["8.8.8.8"], ["127.0.0.1"], times=2)

    assert isinstance(first, Unreachable)
    assert isinstance(second, RedirectRefused)
    assert connected == ["8.8.8.8"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "[::]", "[64:ff9b::7f00:1]"])
async def test_a_listener_of_this_machine_sees_no_connection(host):
    async with serving(reply(200, b"secret")) as inner:
        location = f"http://{host}:{inner.origin.port}/"
        async with serving(reply(307, Location=location)) as mirror, clients() as made:
            with pytest.raises(RedirectRefused):
                await fetch(made, mirror.origin)

    assert inner.connections == 0


@pytest.mark.parametrize(
    "host", ["2130706433", "127.1", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "[::1%25lo]", "①②⑦.0.0.1"]
)
async def test_an_address_in_disguise_is_no_host(host):
    async with serving(reply(200, b"secret")) as inner:
        location = f"\r\nLocation: http://{host}:{inner.origin.port}/\r\n\r\n".encode()
        moved = reply(307).replace(b"\r\n\r\n", location)
        async with serving(moved) as mirror, clients() as made:
            with pytest.raises(RedirectRefused):
                await fetch(made, mirror.origin)

    assert inner.connections == 0


@pytest.fixture
async def proxy():
    """A proxy of a registry that sends us to another host."""

    def answer(asked):
        return reply(307, Location=f"http://{proxy.leads_to}/x") if asked.target.endswith("/v2/") else reply(200)

    async with serving(answer) as proxy:
        yield proxy


async def targets(proxy, leads_to: str, **known) -> list[str]:
    """What the proxy is asked for by one whom the registry behind it sends elsewhere."""
    proxy.leads_to = leads_to
    async with clients(environ={"http_proxy": str(proxy.origin)}, **known) as made:
        await fetch(made, Origin("http", "registry.example", 80))
    return [asked.target for asked in proxy.asked]


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[fd00:ec2::254]", "[64:ff9b::a00:1]"])
async def test_behind_a_proxy_what_is_written_as_a_private_address_is_refused(proxy, host):
    with pytest.raises(RedirectRefused, match="not public") as error:
        await targets(proxy, host)

    assert error.value.host == host
    assert len(proxy.asked) == 1


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]", "cdn.example"])
async def test_behind_a_proxy_other_hosts_are_the_proxys_business(proxy, host):
    assert await targets(proxy, host) == ["http://registry.example/v2/", f"http://{host}/x"]


@pytest.mark.parametrize("by", ["configured", "dial"])
async def test_behind_a_proxy_a_private_address_that_we_know_is_asked(proxy, by):
    there = Origin("http", "10.0.0.1", 80)
    known = {"dial": {there: there}} if by == "dial" else {"configured": frozenset({there})}

    assert await targets(proxy, there.host, **known) == ["http://registry.example/v2/", "http://10.0.0.1/x"]
