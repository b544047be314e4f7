"""The asyncio end of a connection: turns, and the order of bytes."""

import asyncio
import gzip

from wirescript import wire
from wirescript.wire import Client, request

from grpcwire import Limits, Server


async def test_a_long_read_is_spread_over_turns_and_others_get_theirs(serve, calls):
    server, port = await serve(limits=Limits(frames_per_turn=16, budget=10**6))
    greedy, modest = await Client.connect(port), await Client.connect(port)
    modest.send(wire.ping())
    await modest.until(wire.PING)
    greedy.send(wire.ping(b"greedy!!") * 20_000)
    await greedy.until(wire.PING)
    modest.send(request(1))
    assert await modest.status(1) == {"grpc-status": "0"}
    answered = 1 + len([each for each in greedy.frames if each.type == wire.PING])
    while answered < 20_000:
        await greedy.until(wire.PING)
        answered += 1
    assert server.counters.turns_cut > 100
    await greedy.close()
    await modest.close()


async def gzipped(serve, **limits) -> tuple[Client, Server]:
    """A client that has sent ten small packets which hold a mebibyte each."""
    server, port = await serve(limits=Limits(inflated_bytes_per_turn=1000, **limits))
    client = await Client.connect(port)
    body = wire.message(gzip.compress(bytes(2**20)), 1)
    fields = wire.call("/test.Test/Wait", grpc_encoding="gzip")
    for stream in range(1, 21, 2):
        client.send(wire.headers(stream, fields), wire.data(stream, body, end=True))
    return client, server


async def test_what_gzip_makes_of_a_read_is_spread_over_turns(serve, calls):
    client, server = await gzipped(serve)
    client.send(wire.data(0, b"x" * 20))  # ends the connection, each call with it
    await asyncio.wait_for(calls.started.wait(), 5)
    assert server.counters.inflated_bytes < 10 * 2**20
    codes = [each.code for each in await client.ended() if each.type == wire.GOAWAY]
    assert codes == [wire.PROTOCOL_ERROR]
    assert server.counters.inflated_bytes == 10 * 2**20
    await client.close()


async def test_requests_that_wait_for_their_turn_are_refused_at_the_end(serve, calls):
    client, server = await gzipped(serve, linger_s=0.1)
    await asyncio.wait_for(calls.started.wait(), 5)
    server.close()
    await client.until(wire.RST_STREAM, 19)
    await asyncio.wait_for(server.wait_closed(), 5)
    assert server.counters.calls_started < 10
    await client.close()


async def test_requests_cut_over_turns_are_all_answered(serve, calls):
    _, port = await serve(limits=Limits(frames_per_turn=3))
    client = await Client.connect(port)
    client.send(*[request(stream) for stream in range(1, 101, 2)])
    for stream in range(1, 101, 2):
        assert await client.status(stream) == {"grpc-status": "0"}
    await client.close()


async def test_the_answers_of_one_turn_leave_in_one_write(serve, calls):
    _, port = await serve()
    client = await Client.connect(port)
    client.send(*[request(stream) for stream in range(1, 21, 2)])
    reads = 0
    while len([each for each in client.frames if each.ended]) < 10:
        assert await client.read()
        reads += 1
    assert reads <= 3  # the greeting, the acknowledgement, the answers
    await client.close()


async def test_goaway_arrives_although_more_was_on_its_way(serve):
    """A close with unread bytes would reset the TCP connection and lose it."""
    _, port = await serve(limits=Limits(linger_s=0.2))
    client = await Client.connect(port)
    client.send(wire.data(0, b"x" * 20), bytes(200_000))
    assert (await client.until(wire.GOAWAY)).code == wire.PROTOCOL_ERROR
    assert await client.ended() == []
    await client.close()


async def test_a_client_that_says_goaway_gets_its_answers(serve, calls):
    _, port = await serve()
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Wait"), wire.goaway())
    await asyncio.wait_for(calls.started.wait(), 5)
    calls.go.set()
    assert await client.status(1) == {"grpc-status": "0"}
    await client.close()


async def test_unread_data_of_all_calls_is_bounded_per_connection(serve, calls):
    limits = Limits(connection_buffer_bytes=100_000)
    server, port = await serve(limits=limits)
    client = await Client.connect(port)
    piece = wire.message(bytes(14_995))
    for stream in range(1, 41, 2):
        opened = wire.headers(stream, wire.call("/test.Test/Unread"))
        client.send(opened, wire.data(stream, piece), wire.data(stream, piece))
    for stream in range(7, 41, 2):
        assert (await client.status(stream))["grpc-status"] == "8"
    assert server.counters.buffer_exhausted == 17
    assert server.counters.buffered_bytes == 3 * 2 * 14_995
    await client.close()


async def test_what_clients_leave_unread_of_answers_is_bounded_in_the_process(serve):
    server, port = await serve(limits=Limits(process_unsent_bytes=100_000, linger_s=0.1))
    clients = [await Client.connect(port) for _ in range(2)]
    for client in clients:
        client.send(request(1, b"1 60000", "/test.Test/Down"))
        await client.until(wire.HEADERS, 1)
    clients[0].send(
        request(3, b"1 60000", "/test.Test/Down")
    )  # most of its answer waits for the window
    await clients[0].until(wire.HEADERS, 3)
    assert 50_000 < server.counters.unsent_bytes < 60_000
    clients[1].send(request(3, b"1 60000", "/test.Test/Down"))
    assert (await clients[1].status(3))["grpc-status"] == "8"
    large = wire.message(bytes(60_000))
    pieces = [wire.data(5, large[at : at + 15_000]) for at in range(0, len(large), 15_000)]
    clients[1].send(wire.headers(5, wire.call()), *pieces, wire.data(5, end=True))
    assert (await clients[1].status(5))["grpc-status"] == "8"
    assert server.counters.unsent_exhausted == 2
    clients[0].send(wire.window_update(0, 200_000))
    assert await clients[0].status(3) == {"grpc-status": "0"}
    assert server.counters.unsent_bytes == 0
    for client in clients:
        await client.close()
