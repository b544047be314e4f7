"""The server as a whole: its interface, its ends, TLS."""

import asyncio
import os
import signal
import socket
import ssl

import grpc
import grpc.aio
import pytest
import trustme
from grpclib.client import Channel
from grpclib.health.service import Health
from grpclib.health.v1.health_grpc import HealthStub
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpclib.reflection.service import ServerReflection
from grpclib.utils import graceful_exit
from wirescript import wire
from wirescript.wire import Client, headers, message, request

from grpcwire import Limits, Server, current_call


def listening_socket() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


async def one_call(port: int, **options) -> dict[str, str]:
    client = await Client.connect(port, **options)
    client.send(request(1))
    status = await client.status(1)
    await client.close()
    return status


async def test_it_serves_several_open_sockets(calls):
    sockets = [listening_socket(), listening_socket()]
    ports = [sock.getsockname()[1] for sock in sockets]
    server = Server([calls])
    await server.start(sock=sockets)
    for port in ports:
        client = await Client.connect(port)
        client.send(headers(1, wire.call("/none")))
        assert (await client.status(1))["grpc-status"] == "12"
        await client.close()
    server.close()
    await server.wait_closed()


async def test_it_serves_a_unix_socket(calls, tmp_path):
    path = str(tmp_path / "socket")
    server = Server([calls])
    await server.start(path=path)
    client = Client(*await asyncio.open_unix_connection(path))
    client.send(wire.PREFACE, wire.settings(), headers(1, wire.call("/none")))
    assert (await client.status(1))["grpc-status"] == "12"
    await client.close()
    server.close()
    await server.wait_closed()


async def test_misuse_is_told(calls):
    server = Server([calls])
    with pytest.raises(RuntimeError, match="not started"):
        server.close()
    with pytest.raises(RuntimeError, match="not started"):
        await server.wait_closed()
    with pytest.raises(RuntimeError, match="not started"):
        await server.drain(1)
    with pytest.raises(ValueError, match="path"):
        await server.start("localhost", path="x")
    async with server:
        await server.start("127.0.0.1", 0)
        with pytest.raises(RuntimeError, match="already started"):
            await server.start("127.0.0.1", 0)


async def test_graceful_exit_closes_it(calls):
    server = Server([calls])
    with graceful_exit([server]):
        await server.start("127.0.0.1", 0)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(server.wait_closed(), 5)


async def test_grpclibs_client_health_and_reflection_work():
    server = Server(ServerReflection.extend([Health()]))
    await server.start("127.0.0.1", 0)
    async with Channel("127.0.0.1", server.sockets[0].getsockname()[1]) as channel:
        response = await HealthStub(channel).Check(HealthCheckRequest(), timeout=5)
        assert response.status == HealthCheckResponse.SERVING
        async with HealthStub(channel).Watch.open(timeout=5) as stream:
            await stream.send_message(HealthCheckRequest(), end=True)
            assert (await stream.recv_message()).status == HealthCheckResponse.SERVING
            await stream.cancel()
    server.close()
    await asyncio.wait_for(server.wait_closed(), 5)


# The end.


async def test_close_tells_clients_and_cancels_handlers(serve, calls):
    server, port = await serve()
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Wait"))
    await asyncio.wait_for(calls.started.wait(), 5)
    server.close()
    frames = await client.ended()
    goaway = next(each for each in frames if each.type == wire.GOAWAY)
    assert (goaway.code, goaway.payload[:4]) == (wire.NO_ERROR, b"\0\0\0\1")
    (answer,) = [each for each in frames if each.type == wire.HEADERS]
    assert dict(client.decoder.decode(answer.payload))["grpc-status"] == "14"
    assert calls.cancelled.is_set()
    await asyncio.wait_for(server.wait_closed(), 5)
    with pytest.raises(OSError, match="onnect"):
        await Client.connect(port)
    await client.close()


async def test_wait_closed_waits_for_handlers_that_take_their_time(serve, calls):
    server, port = await serve()
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Stubborn"))
    await asyncio.wait_for(calls.started.wait(), 5)
    server.close()
    waiting = asyncio.create_task(server.wait_closed())
    await asyncio.wait_for(calls.cancelled.wait(), 5)
    assert not waiting.done()
    calls.go.set()
    await asyncio.wait_for(waiting, 5)
    await client.close()


async def test_close_does_not_wait_for_answers_that_are_not_read(serve, calls):
    server, port = await serve(limits=Limits(linger_s=0.1))
    client = await Client.connect(port)
    client.send(wire.settings((0x4, 1)), request(1))
    await client.until(wire.DATA)
    assert calls.seen == [b"hi"]
    server.close()
    await asyncio.wait_for(server.wait_closed(), 2)
    await client.close()


async def test_a_start_that_failed_can_be_tried_again(calls):
    taken = listening_socket()
    taken.listen()
    server = Server([calls])
    with pytest.raises(OSError, match="address"):
        await server.start("127.0.0.1", taken.getsockname()[1])
    taken.close()
    await server.start("127.0.0.1", 0)
    server.close()
    await server.wait_closed()


async def test_drain_lets_calls_finish_and_refuses_new_ones_for_retry(serve, calls):
    server, port = await serve()
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Wait"))
    await asyncio.wait_for(calls.started.wait(), 5)
    draining = asyncio.create_task(server.drain(5))
    first = await client.until(wire.GOAWAY)
    assert first.payload == b"\x7f\xff\xff\xff" + bytes(4)
    client.send(request(3))
    assert await client.status(3) == {"grpc-status": "0"}
    client.send(wire.ping(b"draining", ack=True))
    last = await client.until(wire.GOAWAY)
    assert last.payload[:8] == b"\0\0\0\3" + bytes(4)
    client.send(request(5))
    assert (await client.until(wire.RST_STREAM)).code == wire.REFUSED_STREAM
    assert not draining.done()
    calls.go.set()
    assert await client.status(1) == {"grpc-status": "0"}
    assert await client.ended() == []
    await asyncio.wait_for(draining, 5)
    await client.close()


async def test_a_drained_connection_is_closed_by_both_sides(serve, calls):
    """Closing at once would answer what still comes by a TCP reset, which loses answers."""
    server, port = await serve(limits=Limits(drain_ping_s=0.01, linger_s=0.3))
    client = await Client.connect(port)
    client.send(wire.settings((0x4, 10**6)), wire.window_update(0, 10**6))
    client.send(request(1, b"20 10000", "/test.Test/Down"))
    received = len((await client.until(wire.DATA)).payload)
    draining = asyncio.create_task(server.drain(5))
    while await client.read():
        client.send(wire.ping())
        received += sum(len(each.payload) for each in client.frames if each.type == wire.DATA)
        client.frames.clear()
    assert received == 20 * 10_005
    await client.close()
    await asyncio.wait_for(draining, 5)


async def test_drain_does_not_wait_for_a_ping_that_is_not_answered(serve):
    server, port = await serve(limits=Limits(drain_ping_s=0.05, linger_s=0.1))
    client = await Client.connect(port)
    client.send(request(1))
    await client.status(1)
    await asyncio.wait_for(server.drain(5), 5)
    codes = [each.code for each in await client.ended() if each.type == wire.GOAWAY]
    assert codes == [wire.NO_ERROR, wire.NO_ERROR]
    await client.close()


async def test_drain_closes_what_is_not_done_in_time(serve, calls):
    server, port = await serve(limits=Limits(drain_ping_s=0.01, linger_s=0.1))
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Wait"))
    await asyncio.wait_for(calls.started.wait(), 5)
    await asyncio.wait_for(server.drain(0.1), 5)
    answer = [each for each in await client.ended() if each.type == wire.HEADERS]
    assert dict(client.decoder.decode(answer[0].payload))["grpc-status"] == "14"
    await client.close()


async def test_a_rolling_restart_under_load_loses_no_call(calls):
    """Clients that call throughout see no failure while servers replace each other."""
    first = listening_socket()
    address = f"127.0.0.1:{first.getsockname()[1]}"
    first.listen(100)
    stop = asyncio.Event()
    done = 0

    async def load() -> None:
        nonlocal done
        options = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            say = channel.unary_unary("/test.Test/Say")
            while not stop.is_set():
                assert await say(b"x", wait_for_ready=True, timeout=10) == b"x"
                done += 1

    async def started() -> Server:
        server = Server([calls], codec=codec, limits=Limits(drain_ping_s=0.05))
        await server.start(sock=socket.socket(fileno=os.dup(first.fileno())))
        return server

    from wirescript.handlers import RawCodec

    codec = RawCodec()
    server = await started()
    tasks = [asyncio.create_task(load()) for _ in range(4)]
    for _ in range(3):
        seen = done
        while done < seen + 100:
            await asyncio.sleep(0.01)
        successor = await started()
        await server.drain(5)
        server = successor
    stop.set()
    await asyncio.gather(*tasks)
    server.close()
    await server.wait_closed()
    first.close()


# TLS.


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.set_alpn_protocols(["h2"])
    return context


async def test_tls_negotiates_h2(serve, authority):
    _, port = await serve(ssl=server_context(authority))
    client = await Client.connect(port, ssl=client_context(authority))
    negotiated = client.writer.get_extra_info("ssl_object").selected_alpn_protocol()
    assert negotiated == "h2"
    client.send(request(1))
    assert await client.status(1) == {"grpc-status": "0"}
    await client.close()


async def test_a_clients_certificate_is_seen_by_handlers(serve, calls, authority):
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    _, port = await serve(ssl=context)
    mine = client_context(authority)
    authority.issue_cert("alice@example.com").configure_cert(mine)
    client = await Client.connect(port, ssl=mine)
    client.send(request(1, path="/test.Test/Context"))
    await client.status(1)
    certificate = calls.seen[0].peer.cert()
    assert ("email", "alice@example.com") in certificate["subjectAltName"]
    await client.close()


async def test_without_tls_there_is_no_certificate(serve, calls):
    _, port = await serve()
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Context"))
    await client.status(1)
    assert calls.seen[0].peer.cert() is None
    assert calls.seen[0].peer.addr()[0] == "127.0.0.1"
    assert current_call() is None
    await client.close()


async def test_certificates_can_be_reloaded_while_serving(serve, authority):
    context = server_context(authority)
    _, port = await serve(ssl=context)
    old = await Client.connect(port, ssl=client_context(authority))
    renewed = trustme.CA()
    renewed.issue_cert("localhost").configure_cert(context)
    with pytest.raises(ssl.SSLError):
        await Client.connect(port, ssl=client_context(authority))
    assert await one_call(port, ssl=client_context(renewed)) == {"grpc-status": "0"}
    old.send(request(1))
    assert await old.status(1) == {"grpc-status": "0"}
    await old.close()


async def test_grpcio_speaks_tls_to_it(serve, authority):
    _, port = await serve(ssl=server_context(authority))
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
        say = channel.unary_unary("/test.Test/Say")
        assert await say(b"over tls", timeout=5, wait_for_ready=True) == b"over tls"


# How many.


async def test_connections_beyond_the_limit_get_goaway(serve):
    server, port = await serve(limits=Limits(connections=2))
    clients = [await Client.connect(port) for _ in range(2)]
    for client in clients:
        client.send(request(1))
        assert await client.status(1) == {"grpc-status": "0"}
    third = await Client.connect(port)
    goaway = await third.until(wire.GOAWAY)
    assert (goaway.code, goaway.payload[:4]) == (wire.NO_ERROR, bytes(4))
    assert server.counters.connections_refused == 1
    for client in [*clients, third]:
        await client.close()
    while server.counters.connections:
        await asyncio.sleep(0.01)
    assert await one_call(port) == {"grpc-status": "0"}


async def test_messages_at_the_limit_pass_and_beyond_it_fail_by_their_length_alone(serve, calls):
    server, port = await serve(limits=Limits(message_bytes=1000))
    client = await Client.connect(port)
    client.send(request(1, bytes(1000)))
    assert await client.status(1) == {"grpc-status": "0"}
    declared = b"\0" + (1001).to_bytes(4, "big")
    client.send(headers(3), wire.data(3, declared + b"x"))
    assert (await client.status(3))["grpc-status"] == "8"
    client.send(headers(5), wire.data(5, message(bytes(1001)), end=True))
    assert (await client.status(5))["grpc-status"] == "8"
    assert server.counters.message_too_large == 2
    assert len(calls.seen) == 1
    await client.close()
