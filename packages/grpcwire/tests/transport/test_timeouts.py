"""The timers: each limit of time strikes, and only when it should."""

import asyncio
import socket

from wirescript import wire
from wirescript.wire import Client, request

from grpcwire import Limits


async def test_a_connection_without_preface_is_ended(serve):
    server, port = await serve(limits=Limits(preface_s=0.05))
    client = await Client.connect(port, greet=False)
    client.send(wire.PREFACE[:10])
    goaway = await client.until(wire.GOAWAY)
    assert goaway.code == wire.SETTINGS_TIMEOUT
    assert server.counters.preface_timeouts == 1
    await client.close()


async def test_an_idle_connection_is_ended(serve):
    server, port = await serve(limits=Limits(preface_s=0.02, idle_s=0.1))
    client = await Client.connect(port)
    client.send(request(1))
    await client.status(1)
    assert (await client.until(wire.GOAWAY)).code == wire.NO_ERROR
    assert server.counters.idle_timeouts == 1
    await client.close()


async def test_a_connection_whose_handler_works_is_not_idle(serve, calls):
    _, port = await serve(limits=Limits(preface_s=0.01, idle_s=0.02))
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Wait"))
    await asyncio.wait_for(calls.started.wait(), 5)
    asyncio.get_running_loop().call_later(0.2, calls.go.set)
    assert await client.status(1) == {"grpc-status": "0"}
    await client.close()


async def test_a_stream_whose_window_stays_shut_is_ended(serve, calls):
    server, port = await serve(limits=Limits(preface_s=0.01, stalled_write_s=0.1))
    client = await Client.connect(port)
    client.send(wire.settings((0x4, 5)), request(1, b"100 100", "/test.Test/Down"))
    goaway = await client.until(wire.GOAWAY)
    assert goaway.code == wire.ENHANCE_YOUR_CALM
    await asyncio.wait_for(calls.cancelled.wait(), 5)
    assert server.counters.stalled_writes == 1
    await client.close()


async def test_a_slow_reader_that_makes_progress_is_not_ended(serve, calls):
    server, port = await serve(limits=Limits(preface_s=0.01, stalled_write_s=0.2))
    client = await Client.connect(port)
    client.send(wire.settings((0x4, 5)), request(1, b"5 5", "/test.Test/Down"))
    for _ in range(9):
        await client.until(wire.DATA)
        await asyncio.sleep(0.05)
        client.send(wire.window_update(1, 5))
    assert await client.status(1) == {"grpc-status": "0"}
    assert server.counters.stalled_writes == 0
    await client.close()


async def test_a_slow_reader_of_one_large_message_is_not_ended(serve):
    """Reading a part of a single write is progress too."""
    server, port = await serve(limits=Limits(preface_s=0.01, stalled_write_s=0.4))
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    sock.connect(("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=16 * 1024)
    opened = wire.settings((0x4, 2**31 - 1), (0x5, 2**24 - 1)) + wire.window_update(0, 10**9)
    writer.write(wire.PREFACE + opened + request(1, b"1 5000000", "/test.Test/Down"))
    left = 5_000_000
    while left > 0:
        raw = await reader.read(64 * 1024)
        assert raw, "cut off while reading"
        left -= len(raw)
        await asyncio.sleep(0.01)
    assert server.counters.stalled_writes == 0
    writer.close()


async def test_a_reader_that_reads_nothing_stops_being_produced_for_and_is_cut_off(serve, calls):
    server, port = await serve(limits=Limits(preface_s=0.01, stalled_write_s=0.5, linger_s=0.05))
    client = await Client.connect(port)
    client.writer.transport.pause_reading()
    opened = wire.settings((0x4, 2**31 - 1)) + wire.window_update(0, 2**31 - 1 - 65535)
    client.send(opened, request(1, b"100000 10000", "/test.Test/Down"))
    await asyncio.wait_for(calls.cancelled.wait(), 10)
    assert len(calls.seen) * 10000 < 40_000_000, "sockets buffer some megabytes, no more"
    assert server.counters.stalled_writes == 1
    while server.counters.connections:
        await asyncio.sleep(0.01)
    client.writer.transport.abort()


async def test_an_old_connection_is_drained(serve, calls):
    limits = Limits(connection_age_s=0.1, connection_age_jitter=0, drain_ping_s=0.02)
    server, port = await serve(limits=limits)
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Wait"))
    first = await client.until(wire.GOAWAY)
    assert first.payload[:4] == b"\x7f\xff\xff\xff"
    await client.until(wire.GOAWAY)
    calls.go.set()
    assert await client.status(1) == {"grpc-status": "0"}
    assert await client.ended() == []
    assert server.counters.connections_aged == 1
    await client.close()


async def test_an_old_connection_gets_only_its_grace(serve, calls):
    limits = Limits(connection_age_s=0.05, connection_age_grace_s=0.05, drain_ping_s=0.01)
    _, port = await serve(limits=limits)
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Wait"))
    await client.until(wire.GOAWAY)
    await client.until(wire.GOAWAY)
    assert (await client.status(1))["grpc-status"] == "14"
    await client.close()
