"""What aiohttp does by itself and syncer must not: each row of a list that was measured, on raw sockets."""

import asyncio
import gc
import gzip
import socket
import ssl
import struct
import time
import traceback
from asyncio.sslproto import SSLProtocol

import pytest
import trustme
from hostile import QUICK, body_of, clients, fetch, listening, reply, serving

from syncer.errors import (
    Bug,
    CorruptContent,
    NetworkError,
    ProtocolViolation,
    RedirectRefused,
    TimedOut,
    TlsFailed,
    Unreachable,
)
from syncer.oci.names import Origin
from syncer.registry.http import Access, Body, Request
from syncer.registry.tls import BUFFER
from syncer.settings.registries import Endpoint, Tls

CANARY = "canary"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50


def reset(writer):
    """Break the connection with RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def cut(_asked, writer):
    writer.write(HALF)
    await writer.drain()
    writer.close()


async def break_off(_asked, writer):
    writer.write(HALF)
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


async def cut_chunked(_asked, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    await writer.drain()
    writer.close()


async def reset_at_once(_asked, writer):
    reset(writer)


@pytest.mark.parametrize("fault", [cut, break_off, cut_chunked, reset_at_once])
async def test_a_connection_that_breaks_is_a_transient_error_that_names_the_host(fault):
    async with serving(fault) as server, clients() as made:
        with pytest.raises(Unreachable) as caught:
            await fetch(made, server.origin)

    assert caught.value.transient
    assert caught.value.host == server.origin.netloc


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: -5\r\n",
        b"X-Long: " + b"x" * 100_000 + b"\r\n",
    ],
    ids=["two lengths", "plus", "minus", "long"],
)
async def test_an_answer_that_is_not_http_is_a_violation(head):
    async with serving(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nhello") as server, clients() as made:
        with pytest.raises(NetworkError) as caught:
            await fetch(made, server.origin)

    assert isinstance(caught.value, ProtocolViolation)


@pytest.mark.parametrize("status", [101, 600, 999])
async def test_a_status_outside_http_is_a_violation(status):
    async with serving(reply(status)) as server, clients() as made:
        with pytest.raises(ProtocolViolation):
            await fetch(made, server.origin)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "POST"])
async def test_nothing_is_sent_twice_after_a_reset_on_a_pooled_connection(method):
    async def first_well(asked, writer):
        if asked.target == "/warm":
            writer.write(reply())
        else:
            reset(writer)

    async with serving(first_well) as server, clients() as made:
        await fetch(made, server.origin, "/warm")
        with pytest.raises(Unreachable):
            await fetch(made, server.origin, "/cold", method, body=body_of(b"x") if method in ("PUT", "POST") else None)

        assert [asked.target for asked in server.asked] == ["/warm", "/cold"]
        assert server.connections == 1


async def silent(_asked, _writer):
    await asyncio.sleep(5)


async def stall(_asked, writer):
    writer.write(HALF)
    await asyncio.sleep(5)


async def trickle(_asked, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def flood_of_102(_asked, writer):
    for _ in range(1000):
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("fault", [silent, stall, trickle, flood_of_102])
async def test_a_server_that_keeps_us_waiting_is_left(fault):
    started = time.monotonic()
    async with serving(fault) as server, clients() as made:
        with pytest.raises(TimedOut):
            await fetch(made, server.origin)

    assert time.monotonic() - started < 4


async def never(_reader, _writer):
    await asyncio.sleep(5)


async def test_a_tls_handshake_that_nobody_answers_is_left():
    async with listening(never) as origin, clients() as made:
        with pytest.raises(TimedOut):
            await fetch(made, Origin("https", origin.host, origin.port))


async def test_a_slow_but_steady_server_is_not_left():
    async def steady(_asked, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8000\r\n\r\n")
        for _ in range(8):
            writer.write(b"x" * 1000)
            await writer.drain()
            await asyncio.sleep(0.15)

    async with serving(steady) as server, clients() as made:
        assert len(await fetch(made, server.origin)) == 8000


async def test_a_deadline_of_the_request_replaces_the_general_one():
    async def late(_asked, writer):
        await asyncio.sleep(0.3 + QUICK.head + QUICK.lookup + QUICK.connect)
        writer.write(reply(201))

    async with serving(late) as server, clients() as made:
        await fetch(made, server.origin, method="PUT", body=body_of(b"{}"), patience=40)


async def test_the_head_deadline_begins_after_the_last_byte_of_a_slow_body():
    async def slow():
        for _ in range(8):
            await asyncio.sleep(0.15)
            yield b"x"

    async with serving(reply(201)) as server, clients() as made:
        await fetch(made, server.origin, method="PUT", body=Body(8, slow))

    assert server.asked[0].body == b"x" * 8


async def test_a_server_that_does_not_read_is_left():
    async def endless():
        for _ in range(1000):
            yield bytes(1_000_000)

    async with listening(never) as origin, clients() as made:
        with pytest.raises(TimedOut):
            await fetch(made, origin, method="PUT", body=Body(1_000_000_000, endless))


async def test_a_body_that_fails_raises_its_own_error():
    async def corrupt():
        yield b"x"
        raise CorruptContent("a mirror sent other bytes", host="mirror.example")

    async with serving(reply(201)) as server, clients() as made:
        with pytest.raises(CorruptContent) as caught:
            await fetch(made, server.origin, method="PUT", body=Body(10, corrupt))

    assert caught.value.host == "mirror.example"


async def test_a_large_chunk_arrives_whole():
    chunk = bytes(range(256)) * 5000
    async with serving(reply(201)) as server, clients() as made:
        await fetch(made, server.origin, "/v2/x", "PUT", body=body_of(chunk, chunk[:5]))

    assert server.asked[0].body == chunk + chunk[:5]


@pytest.mark.parametrize("size", [3, 5])
async def test_a_body_of_another_size_than_it_said_is_a_bug(size):
    body = Body(size, body_of(b"1234").open)
    async with serving(reply(201)) as server, clients() as made:
        with pytest.raises(Bug, match="too"):
            await fetch(made, server.origin, "/v2/x", "PUT", body=body)


async def test_a_body_has_a_length_and_is_not_chunked():
    async with serving(reply(201)) as server, clients() as made:
        await fetch(made, server.origin, "/v2/x", "PUT", body=body_of(b"one", b"two"))
        await fetch(made, server.origin, "/v2/x", "POST")

    put, post = server.asked
    assert (put.headers["content-length"], put.body) == ("6", b"onetwo")
    assert post.headers["content-length"] == "0"
    assert not any("transfer-encoding" in asked.headers for asked in server.asked)


async def test_an_early_refusal_is_heard_while_the_body_is_on_its_way():
    async def many():
        for _ in range(200):
            yield bytes(100_000)
            await asyncio.sleep(0)

    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(413, b"too large"))
        await writer.drain()
        await asyncio.sleep(0.5)

    async with listening(refuse) as origin, clients() as made:
        request = Request("PUT", origin, "/v2/x", body=Body(20_000_000, many), access=Access.PUSH)
        async with made.client(Endpoint(origin)).send(request) as response:
            assert (response.status, await response.read(100)) == (413, b"too large")


async def test_a_connection_with_half_a_request_on_it_is_not_used_again():
    arrived = []

    async def refuse(reader, writer):
        arrived.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(reply(413))
        await writer.drain()
        arrived.append(await reader.read(10_000_000))

    async def first_a_little():
        yield b"x"
        await asyncio.sleep(0.2)
        yield b"y" * 99

    async with listening(refuse) as origin, clients() as made:
        client = made.client(Endpoint(origin))
        async with client.send(Request("PUT", origin, "/v2/x", body=Body(100, first_a_little))) as response:
            await response.read(100)
        async with client.send(Request("GET", origin, "/v2/")) as response:
            assert response.status == 413

    assert [seen[:4] for seen in arrived if seen.startswith((b"PUT", b"GET"))] == [b"PUT ", b"GET "]
    assert not [seen for seen in arrived if b"GET" in seen[4:]]


async def test_compressed_content_is_neither_asked_for_nor_taken():
    packed = gzip.compress(b"manifest")
    async with serving(reply(200, packed, Content_Encoding="gzip")) as server, clients() as made:
        with pytest.raises(ProtocolViolation):
            await fetch(made, server.origin)

    assert server.asked[0].headers["accept-encoding"] == "identity"


async def test_an_endless_body_is_not_read_beyond_its_limit():
    async def endless(_asked, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            writer.write(bytes(100_000))
            await writer.drain()

    async with serving(endless) as server, clients() as made:
        with pytest.raises(ProtocolViolation, match="more than 1000000 bytes"):
            await fetch(made, server.origin)


@pytest.mark.parametrize("target", ["/a?X-Sig=a%2Fb%2Bc%3D~%7E&z=%2e%2E", "/v2/%2e%2e/x/../y//z", "/%C3%A4?b=+%20"])
async def test_paths_and_queries_go_out_byte_for_byte(target):
    async with serving(reply()) as server, clients() as made:
        await fetch(made, server.origin, target)

    assert server.asked[0].target == target


async def test_a_signed_location_is_followed_byte_for_byte():
    signed = "/blob?X-Amz-Signature=a%2Fb%2Bc%3D~%7E&z=%2e%2E&empty="
    async with serving(reply(200, b"blob")) as cdn:
        async with (
            serving(reply(307, Location=f"{cdn.origin}{signed}")) as registry,
            clients(configured={cdn.origin}) as made,
        ):
            assert await fetch(made, registry.origin) == b"blob"

        assert cdn.asked[0].target == signed


@pytest.mark.parametrize("target", ["v2/", "/a b", "/a\r\nX: y", "/a#b", "/ä"])
async def test_a_malformed_path_is_never_sent(target):
    async with serving(reply()) as server, clients() as made:
        with pytest.raises(ProtocolViolation):
            await fetch(made, server.origin, target)

    assert server.asked == []


@pytest.mark.parametrize("fault", [cut, reset_at_once, silent, stall, b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
async def test_no_message_and_no_traceback_holds_a_query_or_a_header(fault):
    async with serving(fault) as server, clients() as made:
        with pytest.raises(NetworkError) as caught:
            await fetch(made, server.origin, f"/blob?X-Amz-Signature={CANARY}", headers={"X-Token": CANARY})

    assert CANARY.encode() in server.received
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert "/blob" in str(caught.value)


async def test_an_answer_left_unread_closes_its_connection_and_one_read_keeps_it():
    async with serving(reply(200, bytes(5_000_000))) as server, clients() as made:
        client, request = made.client(Endpoint(server.origin)), Request("GET", server.origin, "/v2/")
        for _ in range(2):
            async with client.send(request) as response:
                async for _chunk in response.chunks():
                    break
        assert server.connections == 2

        for _ in range(3):
            async with client.send(request) as response:
                assert len(await response.read(6_000_000)) == 5_000_000
        assert server.connections == 3


async def test_cookies_are_not_kept():
    async with serving(reply(200, Set_Cookie="canary=1; Path=/")) as server, clients() as made:
        await fetch(made, server.origin)
        await fetch(made, server.origin)

    assert b"canary" not in server.received


async def test_nothing_of_the_users_environment_is_read(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login me password {CANARY}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(reply()) as server, clients(dial={Origin("http", "far.example", 80): server.origin}) as made:
        await fetch(made, server.origin)
        await fetch(made, Origin("http", "far.example", 80))

    assert len(server.asked) == 2
    assert b"authorization" not in server.received.lower()


async def test_a_host_is_dialled_elsewhere_and_keeps_its_name():
    hub = Origin("https", "registry-1.docker.io", 443)
    async with serving(cut) as server, clients(dial={hub: server.origin}) as made:
        with pytest.raises(Unreachable) as caught:
            await fetch(made, hub)
        lines = made.hosts.lines()

    assert server.asked[0].headers["host"] == "registry-1.docker.io"
    assert caught.value.host == "registry-1.docker.io"
    assert str(server.origin.port) not in str(caught.value)
    assert [line.host for line in lines] == ["registry-1.docker.io"]


async def test_a_host_that_only_a_server_named_must_be_public():
    async with serving(reply(200, b"secret")) as inner:
        location = f"{inner.origin}/latest/meta-data/"
        async with serving(reply(307, Location=location)) as mirror, clients() as made:
            with pytest.raises(RedirectRefused, match="not public"):
                await fetch(made, mirror.origin)

        assert inner.connections == 0


async def test_the_guard_looks_at_the_address_and_not_at_the_name():
    async with serving(reply(200, b"secret")) as inner:
        location = f"http://localhost:{inner.origin.port}/latest/meta-data/"
        async with serving(reply(307, Location=location)) as mirror, clients() as made:
            with pytest.raises(RedirectRefused, match="not public"):
                await fetch(made, mirror.origin)

        assert inner.connections == 0


async def test_a_closed_port_is_unreachable():
    async with serving(reply()) as server:
        origin = server.origin
    async with clients() as made:
        with pytest.raises(Unreachable, match="no connection"):
            await fetch(made, origin)


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_who_refuses_a_connection_is_named_without_the_address_that_was_dialled():
    async with serving(reply()) as server:
        origin = server.origin
    async with clients() as made:
        with pytest.raises(Unreachable) as caught:
            await fetch(made, origin)

    assert str(caught.value) == f"{origin.netloc}: no connection: Connection refused"


async def test_a_certificate_of_an_unknown_authority_is_refused_for_good(tls):
    async with serving(reply(), tls) as server, clients() as made:
        with pytest.raises(TlsFailed) as caught:
            await fetch(made, server.origin)

    assert not caught.value.transient
    assert server.asked == []


async def test_a_host_that_speaks_tls_and_is_asked_without_says_what_to_write(tls):
    async with serving(reply(200), tls) as server, clients() as made:
        with pytest.raises(NetworkError) as met:
            await fetch(made, Origin("http", server.origin.host, server.origin.port))

    assert "plain_http: false" in met.value.hint
    assert f"curl -v http://{server.origin.netloc}/v2/" in met.value.hint


async def test_a_host_without_tls_that_is_asked_with_it_says_what_to_write():
    async def refuses(_reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(refuses) as origin, clients() as made:
        with pytest.raises(TlsFailed) as met:
            await fetch(made, Origin("https", origin.host, origin.port))

    assert "plain_http: true" in met.value.hint


async def test_a_named_authority_is_trusted(tls, authority, tmp_path):
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with serving(reply(200, b"ok"), tls) as server, clients() as made:
        client = made.client(Endpoint(server.origin, tls=Tls(ca=tmp_path / "ca.pem")))
        async with client.send(Request("GET", server.origin, "/v2/")) as response:
            assert await response.read(10) == b"ok"


def encrypted_connections():
    """Those of this process that are not yet forgotten; nothing public leads to them."""
    return [each for each in gc.get_objects() if isinstance(each, SSLProtocol)]


async def test_an_encrypted_connection_holds_no_more_than_it_is_allowed(tls):
    before = encrypted_connections()
    async with serving(reply(200, bytes(4 * BUFFER)), tls) as server, clients() as made:
        client = made.client(Endpoint(server.origin, tls=Tls(verify=False)))
        async with client.send(Request("GET", server.origin, "/v2/")) as response:
            assert await response.read(4 * BUFFER) == bytes(4 * BUFFER)
            held = [len(each._ssl_buffer) for each in encrypted_connections() if each not in before]

    assert held == [BUFFER, BUFFER]  # the server is in this process, too


async def test_verification_can_be_switched_off_for_an_endpoint_but_not_for_where_it_redirects(tls):
    async with serving(reply(200, b"ok"), tls) as other:
        answers = {"/v2/": reply(200, b"ok"), "/away": reply(307, Location=f"{other.origin}/")}
        async with (
            serving(lambda asked: answers[asked.target], tls) as server,
            clients(configured={other.origin}) as made,
        ):
            client = made.client(Endpoint(server.origin, tls=Tls(verify=False)))
            async with client.send(Request("GET", server.origin, "/v2/")) as response:
                assert await response.read(10) == b"ok"
            with pytest.raises(TlsFailed):
                await client.send(Request("GET", server.origin, "/away")).__aenter__()

        assert other.asked == []


async def test_a_file_that_holds_no_certificate_is_named(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    async with clients() as made:
        with pytest.raises(TlsFailed, match=r"ca\.pem"):
            made.client(Endpoint(Origin("https", "registry.example", 443), tls=Tls(ca=tmp_path / "ca.pem")))
        with pytest.raises(TlsFailed, match=r"none\.pem"):
            made.client(Endpoint(Origin("https", "registry.example", 443), tls=Tls(ca=tmp_path / "none.pem")))


async def test_tls_is_never_given_up_for_plain_http():
    async def plain(_reader, writer):
        writer.write(reply(400, b"this is HTTP"))
        await writer.drain()

    async with listening(plain) as origin, clients() as made:
        with pytest.raises(TlsFailed, match="does not speak TLS") as caught:
            await fetch(made, Origin("https", "127.0.0.1", origin.port))

    assert "plain_http" in caught.value.hint


async def test_a_dialled_host_proves_its_real_name(authority, tmp_path):
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("registry.example").configure_cert(context)
    real, other = Origin("https", "registry.example", 443), Origin("https", "other.example", 443)
    tls = Tls(ca=tmp_path / "ca.pem")
    async with (
        serving(reply(200, b"ok"), context) as server,
        clients(dial={real: server.origin, other: server.origin}) as made,
    ):
        async with made.client(Endpoint(real, tls=tls)).send(Request("GET", real, "/v2/")) as response:
            assert await response.read(10) == b"ok"
        with pytest.raises(TlsFailed):
            await made.client(Endpoint(other, tls=tls)).send(Request("GET", other, "/v2/")).__aenter__()


async def test_a_proxy_gets_its_own_credential_and_the_registry_does_not():
    origin = Origin("http", "registry.example", 80)
    async with serving(reply(200, b"ok")) as proxy, clients() as made:
        via = f"http://user:p%40ss@{proxy.origin.netloc}"
        async with made.client(Endpoint(origin, proxy=via)).send(Request("GET", origin, "/v2/?x=%2e")) as response:
            assert await response.read(10) == b"ok"

    assert proxy.asked[0].target == "http://registry.example/v2/?x=%2e"
    assert proxy.asked[0].headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"
    assert "authorization" not in proxy.asked[0].headers


async def test_a_proxy_that_refuses_is_told_from_the_registry():
    origin = Origin("https", "registry.example", 443)
    async with serving(reply(407)) as proxy, clients(environ={"https_proxy": str(proxy.origin)}) as made:
        with pytest.raises(Unreachable, match="the proxy that leads there refuses: status 407"):
            await fetch(made, origin)

    assert proxy.asked[0].method == "CONNECT"


async def test_behind_a_proxy_a_private_address_is_still_refused():
    registry = Origin("http", "registry.example", 80)
    answer = reply(307, Location="http://169.254.169.254/latest/meta-data/")
    async with serving(answer) as proxy, clients(environ={"http_proxy": str(proxy.origin)}) as made:
        with pytest.raises(RedirectRefused, match="not public"):
            await fetch(made, registry)

    assert len(proxy.asked) == 1


async def test_a_proxy_of_an_unknown_kind_is_refused_without_its_password():
    async with clients(environ={"ALL_PROXY": "socks5://u:canary@127.0.0.1:1"}) as made:
        with pytest.raises(Unreachable) as caught:
            await fetch(made, Origin("https", "registry.example", 443))

    assert "socks5://127.0.0.1:1" in str(caught.value)
    assert "canary" not in str(caught.value)
