"""The asyncio end of a connection: turns, and the order of octets."""

import asyncio

from grpcwire import Limits
from tests.grpcwire import wire
from tests.grpcwire.wire import Client, request


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
    """A close with unread octets would reset the TCP connection and lose it."""
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
