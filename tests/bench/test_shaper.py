"""A link delays without limiting, limits each connection for itself, and loses nothing."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.rig import Shape, Shaper

MIB = 1 << 20


@pytest.fixture
def echo():
    """host:port of a server that says back what it hears."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(connection: socket.socket) -> None:
            with connection:
                while data := connection.recv(MIB):
                    connection.sendall(data)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield "{}:{}".format(*server.getsockname())
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def link(echo):
    made = Shaper(echo)
    yield made
    made.close()


def connect(link: Shaper) -> socket.socket:
    host, _, port = link.host.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def round_trip(connection: socket.socket, data: bytes = b"x") -> float:
    """Seconds until all of it is back, unaltered."""
    began = time.monotonic()
    sending = threading.Thread(target=connection.sendall, args=(data,))
    sending.start()
    back = bytearray()
    while len(back) < len(data):
        back += connection.recv(MIB)
    sending.join()
    assert back == data
    return time.monotonic() - began


def test_a_connection_costs_a_round_trip_and_so_does_each_question(link) -> None:
    link.set(Shape(round_trip=0.1))
    with connect(link) as connection:
        assert 0.2 <= round_trip(connection) < 0.35
        assert 0.1 <= round_trip(connection) < 0.2


def test_a_delay_is_no_limit(link) -> None:
    """8 MiB by answers of 64 KiB in turn would take 12 s."""
    link.set(Shape(round_trip=0.1))
    data = bytes(range(256)) * (8 * MIB // 256)
    with connect(link) as connection:
        assert round_trip(connection, data) < 4


def test_a_limit_holds_for_each_connection_alone(link) -> None:
    """Half a megabyte at a megabyte per second, there and back at the same time."""
    link.set(Shape(rate=1e6))
    with ThreadPoolExecutor(4) as pool, connect(link) as a, connect(link) as b, connect(link) as c:
        took = list(pool.map(lambda each: round_trip(each, bytes(500_000)), (a, b, c)))

    assert min(took) > 0.4
    assert max(took) < 1.4


def test_what_it_carried_is_counted(link) -> None:
    with connect(link) as connection:
        round_trip(connection, b"12345")

    assert link.carried() == {"connections": 1, "up": 5, "down": 5}


def test_a_closed_connection_is_closed_at_the_other_end(link) -> None:
    link.set(Shape(round_trip=0.02))
    with connect(link) as connection:
        round_trip(connection)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
