"""One port, every protocol: told by the first bytes, or by the handshake."""

import asyncio
import ssl

import pytest
import trustme
from wirescript import wire
from wirescript.http import Http1Client, fetch_http1, fetch_http2, request

from grpcwire import Limits

SAY = "/test.Test/Say"
PROTO = {"content-type": "application/proto"}


async def trickle(client, raw):
    """Send bytes one by one, each in a packet of its own."""
    for each in raw:
        client.send(bytes([each]))
        await client.writer.drain()
        await asyncio.sleep(0)


async def test_http2_is_told_from_bytes_that_come_one_by_one(serve):
    _, port = await serve()
    client = await wire.Client.connect(port, greet=False)
    await trickle(client, wire.PREFACE + wire.settings() + wire.request(1))
    assert await client.status(1) == {"grpc-status": "0"}
    await client.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "P"])
async def test_http1_is_told_from_bytes_that_come_one_by_one(serve, method):
    _, port = await serve()
    client = await Http1Client.connect(port)
    await trickle(client, request(method, SAY, PROTO, b"hello"))
    response = await client.response()
    assert response.status == (200 if method == "POST" else 405)
    await client.close()


@pytest.mark.parametrize(
    "raw",
    [b"\x16\x03\x01\x02\0", b"\0\0\0", b"PRI * HTTP/1.1\r\n" * 2, b"NO REQUEST AT ALL\r\n\r\n"],
)
async def test_what_is_neither_is_refused_by_http2(serve, raw):
    _, port = await serve()
    client = await wire.Client.connect(port, greet=False)
    client.send(raw + bytes(64))
    assert (await client.until(wire.GOAWAY)).code == wire.PROTOCOL_ERROR
    await client.close()


async def test_an_upgrade_to_h2c_is_ignored(serve):
    _, port = await serve()
    more = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAMAAABk"}
    response = await fetch_http1(port, "POST", SAY, PROTO | more, b"hello")
    assert (response.status, response.body) == (200, b"hello")
    assert "upgrade" not in response.headers


async def test_silence_is_not_waited_for(serve):
    server, port = await serve(limits=Limits(preface_s=0.05))
    for raw in (b"", b"P", b"PR"):
        client = await Http1Client.connect(port)
        client.send(raw)
        assert await client.rest() == b""
        await client.close()
    assert server.counters.preface_timeouts == 3


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def tls(authority):
    def contexts(offered):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(server)
        server.set_alpn_protocols(["h2", "http/1.1"])
        client = ssl.create_default_context()
        authority.configure_trust(client)
        if offered:
            client.set_alpn_protocols(offered)
        return server, client

    return contexts


@pytest.mark.parametrize(
    ("offered", "fetch"),
    [
        (["h2"], fetch_http2),
        (["http/1.1"], fetch_http1),
        (["h2", "http/1.1"], fetch_http2),
        ([], fetch_http1),
        ([], fetch_http2),
    ],
)
async def test_the_handshake_tells_or_else_the_bytes(serve, tls, offered, fetch):
    server, client = tls(offered)
    _, port = await serve(ssl=server)
    response = await fetch(port, "POST", SAY, PROTO, b"hello", ssl=client)
    assert (response.status, response.body) == (200, b"hello")


async def test_one_connection_too_many_is_refused_and_its_place_is_given_back(serve):
    server, port = await serve(limits=Limits(connections=1))
    first = await Http1Client.connect(port)
    first.send(request("POST", SAY, PROTO, b"1"))
    assert (await first.response()).body == b"1"
    second = await wire.Client.connect(port)
    assert (await second.until(wire.GOAWAY)).code == wire.NO_ERROR
    await second.close()
    first.send(request("POST", SAY, PROTO, b"2"))
    assert (await first.response()).body == b"2"
    await first.close()
    async with asyncio.timeout(5):
        while server.counters.connections:
            await asyncio.sleep(0)
    assert (await fetch_http1(port, "POST", SAY, PROTO, b"3")).body == b"3"


async def test_a_server_closes_connections_that_have_said_nothing(serve):
    server, port = await serve()
    client = await Http1Client.connect(port)
    async with asyncio.timeout(5):
        while not server.counters.connections:
            await asyncio.sleep(0)
    await asyncio.wait_for(server.drain(5), 5)
    assert await client.rest() == b""
    await client.close()
