"""A live HTTP/1.1 connection: keeping alive, pipelining, timers, ends."""

import asyncio
import gzip
import json
import logging

import pytest
from wirescript.http import Http1Client, chunked, envelope, envelopes, request

from grpcwire import Limits

SAY = "/test.Test/Say"
PROTO = {"content-type": "application/proto"}
STREAM = {"content-type": "application/connect+proto"}
CHUNKED = {"transfer-encoding": "chunked"}


def say(body, **more):
    return request("POST", SAY, PROTO | more, body)


@pytest.fixture
async def connect(serve):
    """A client of a server with these options; closed at the end."""
    clients = []

    async def start(**options):
        server, port = await serve(**options)
        clients.append(await Http1Client.connect(port))
        return server, clients[-1]

    yield start
    for client in clients:
        await client.close()


async def until(fact):
    async with asyncio.timeout(5):
        while not fact():
            await asyncio.sleep(0.001)


async def test_a_connection_is_kept_alive(connect):
    server, client = await connect()
    for number in range(3):
        client.send(say(b"%d" % number))
        response = await client.response()
        assert (response.body, response.headers.get("connection")) == (b"%d" % number, None)
        assert response.headers["date"].endswith("GMT")
    assert server.counters.connections_accepted == 1


@pytest.mark.parametrize("raw", [say(b"x", connection="close"), say(b"x").replace(b".1", b".0", 1)])
async def test_a_connection_is_closed_as_the_client_asks(connect, raw):
    _, client = await connect()
    client.send(raw)
    response = await client.response()
    assert (response.body, response.headers["connection"]) == (b"x", "close")
    assert await client.rest() == b""


async def test_http_1_0_gets_streams_without_chunks(connect):
    _, client = await connect()
    body = request("POST", "/test.Test/Down", STREAM, envelope(b"2 1"))
    client.send(body.replace(b"HTTP/1.1", b"HTTP/1.0"))
    response = await client.response()
    assert "transfer-encoding" not in response.headers
    assert envelopes(response.body) == [(0, b"\0"), (0, b"\0"), (2, b"{}")]


async def test_a_body_comes_in_chunks(connect):
    _, client = await connect()
    head = request("POST", SAY, PROTO | CHUNKED, b"")
    client.send(head, chunked(b"hel", b"lo"), head, chunked(), say(b"3"))
    assert [(await client.response()).body for _ in range(3)] == [b"hello", b"", b"3"]


async def test_bytes_may_come_one_by_one(connect):
    _, client = await connect()
    for each in request("POST", SAY, PROTO | CHUNKED, chunked(b"hel", b"lo")):
        client.send(bytes([each]))
        await client.writer.drain()
    assert (await client.response()).body == b"hello"


async def test_who_waits_for_continue_is_told_to(connect):
    _, client = await connect()
    client.send(say(b"", **{"content-length": "5", "expect": "100-continue"}))
    assert (await client.response()).status == 100
    client.send(b"hello")
    assert (await client.response()).body == b"hello"


async def test_an_absolute_target_is_its_path(connect):
    _, client = await connect()
    client.send(request("POST", f"http://else.example{SAY}", PROTO, b"x"))
    assert (await client.response()).body == b"x"


async def test_head_gets_no_body(connect):
    _, client = await connect()
    client.send(request("HEAD", SAY), say(b"x"))
    response = await client.response(bodyless=True)
    assert (response.status, response.headers["allow"]) == (405, "POST")
    assert (await client.response()).body == b"x"


async def test_grpc_is_told_that_it_needs_http2(connect):
    _, client = await connect()
    client.send(request("POST", SAY, {"content-type": "application/grpc"}, envelope(b"x")))
    assert (await client.response()).status == 505


async def test_both_sides_of_a_stream_talk_in_turns(connect):
    _, client = await connect()
    client.send(request("POST", "/test.Test/Both", STREAM | CHUNKED, b""))
    for number in range(3):
        message = envelope(b"%d" % number)
        client.send(b"%x\r\n%b\r\n" % (len(message), message))
        if not number:
            head = await client.reader.readuntil(b"\r\n\r\n")
            assert b"transfer-encoding: chunked" in head
        async with asyncio.timeout(5):
            assert await anext(client.chunks()) == message
    client.send(b"0\r\n\r\n")
    async with asyncio.timeout(5):
        assert envelopes(await anext(client.chunks())) == [(2, b"{}")]


# ---- pipelining


async def test_pipelined_requests_are_answered_in_order(connect):
    _, client = await connect()
    count = 500
    client.send(*(say(b"%d" % number) for number in range(count)))
    bodies = [(await client.response()).body for _ in range(count)]
    assert bodies == [b"%d" % number for number in range(count)]


async def test_pipelined_requests_wait_for_the_response_before(connect, calls):
    server, client = await connect()
    client.send(request("POST", "/test.Test/Wait", PROTO, b"first"))
    await asyncio.wait_for(calls.started.wait(), 5)
    client.send(*[say(bytes(1000))] * 1000)
    await asyncio.sleep(0.05)
    assert (server.counters.calls, calls.seen) == (1, [])
    calls.go.set()
    assert (await client.response()).body == b"first"
    for _ in range(1000):
        assert (await client.response()).body == bytes(1000)


# ---- the client goes


async def test_a_client_that_hangs_up_cancels_its_call(connect, calls):
    _, client = await connect()
    client.send(request("POST", "/test.Test/Wait", PROTO, b"x"))
    await asyncio.wait_for(calls.started.wait(), 5)
    await client.close()
    await asyncio.wait_for(calls.cancelled.wait(), 5)


async def test_a_client_that_hangs_up_inside_a_body_leaves_nothing(connect, calls):
    server, client = await connect()
    client.send(say(b"begin", **{"content-length": "10"}))
    await until(lambda: server.counters.buffered_bytes == 5)
    await client.close()
    await until(lambda: server.counters.buffered_bytes == 0)
    assert calls.seen == []


# ---- limits


async def test_a_message_too_large_is_refused_before_it_comes(connect):
    server, client = await connect(limits=Limits(message_bytes=1000))
    client.send(say(b"", **{"content-length": "1001"}))
    client.send(bytes(1001))
    response = await client.response()
    assert (response.status, json.loads(response.body)["code"]) == (429, "resource_exhausted")
    assert server.counters.message_too_large == 1


async def test_a_message_too_large_in_chunks_is_refused_as_it_comes(connect):
    server, client = await connect(limits=Limits(message_bytes=1000))
    client.send(request("POST", SAY, PROTO | CHUNKED, b""), b"3e9\r\n" + bytes(1001))
    response = await client.response()
    assert (response.status, response.headers["connection"]) == (429, "close")
    assert await client.rest() == b""
    assert server.counters.buffered_bytes == 0


async def test_calls_in_flight_are_bounded(connect, calls, serve):
    server, client = await connect(limits=Limits(concurrent_calls=1))
    client.send(request("POST", "/test.Test/Wait", PROTO, b"x"))
    await asyncio.wait_for(calls.started.wait(), 5)
    other = await Http1Client.connect(server.sockets[0].getsockname()[1])
    other.send(say(b"x"))
    assert json.loads((await other.response()).body)["message"] == "Too many calls in flight"
    await other.close()


async def test_unread_messages_stop_the_client(connect, calls):
    limits = Limits(stream_window_bytes=10_000)
    server, client = await connect(limits=limits)
    client.send(request("POST", "/test.Test/Unread", STREAM | CHUNKED, b""))
    await asyncio.wait_for(calls.started.wait(), 5)
    message = envelope(bytes(995))
    sending = b"%x\r\n%b\r\n" % (len(message), message)
    client.send(sending * 20_000, b"0\r\n\r\n")
    await asyncio.sleep(0.1)
    # What one read brings may stand above the window.
    assert server.counters.buffered_bytes < 400_000
    calls.go.set()
    response = await client.response()
    assert envelopes(response.body)[0] == (0, b"%d" % (995 * 20_000))


async def test_a_reader_that_does_not_read_is_not_produced_for(connect, calls):
    limits = Limits(stalled_write_s=0.3)
    server, client = await connect(limits=limits)
    client.writer.transport.pause_reading()
    client.send(request("POST", "/test.Test/Down", STREAM, envelope(b"10000 100000")))
    await asyncio.wait_for(calls.cancelled.wait(), 5)
    assert len(calls.seen) < 300
    assert server.counters.stalled_writes == 1
    client.writer.transport.abort()


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
async def test_a_slow_reader_that_makes_progress_gets_all_of_it(connect, connection):
    size = 15_000_000
    limits = Limits(
        stalled_write_s=0.2, linger_s=0.05, message_bytes=size, connection_buffer_bytes=size
    )
    server, client = await connect(limits=limits)
    packed = {"content-encoding": "gzip", "accept-encoding": "identity"}
    client.send(say(gzip.compress(bytes(size)), connection=connection, **packed))
    await client.reader.readuntil(b"\r\n\r\n")
    async with asyncio.timeout(10):
        while size:
            received = await client.reader.read(1_000_000)
            assert received, f"broken off {size} bytes before the end"
            size -= len(received)
            await asyncio.sleep(0.01)
    assert server.counters.stalled_writes == 0


@pytest.mark.parametrize("before", [b"", say(b"1")])
@pytest.mark.parametrize("raw", [b"POST ", say(b"")[:-1]])
async def test_slow_heads_are_not_waited_for(connect, before, raw):
    # Long enough for a busy machine to begin the head before it is over.
    server, client = await connect(limits=Limits(preface_s=0.3))
    if before:
        client.send(before)
        assert (await client.response()).body == b"1"
    client.send(raw)
    assert (await client.response()).status == 408
    assert await client.rest() == b""
    assert server.counters.preface_timeouts == 1


async def test_heads_that_trickle_are_not_waited_for(connect):
    server, client = await connect(limits=Limits(preface_s=0.1))
    client.send(b"POST ")
    async with asyncio.timeout(5):
        while not server.counters.preface_timeouts:
            client.send(b"x")
            await asyncio.sleep(0.01)
    assert (await client.response()).status == 408


async def test_silence_between_requests_ends_in_time(connect):
    server, client = await connect(limits=Limits(idle_s=0.1))
    client.send(say(b"1"))
    assert (await client.response()).body == b"1"
    assert await client.rest() == b""
    assert server.counters.idle_timeouts == 1


async def test_an_old_connection_is_closed_after_its_response(connect, calls):
    limits = Limits(connection_age_s=0.05, connection_age_jitter=0)
    server, client = await connect(limits=limits)
    client.send(request("POST", "/test.Test/Wait", PROTO, b"x"))
    await until(lambda: server.counters.connections_aged)
    calls.go.set()
    response = await client.response()
    assert (response.body, response.headers["connection"]) == (b"x", "close")
    assert await client.rest() == b""


# ---- the server goes


async def test_draining_finishes_the_response_and_closes_idle_connections(connect, calls):
    server, client = await connect()
    idle = await Http1Client.connect(server.sockets[0].getsockname()[1])
    idle.send(say(b"1"))
    assert (await idle.response()).body == b"1"
    client.send(request("POST", "/test.Test/Wait", PROTO, b"x"))
    await asyncio.wait_for(calls.started.wait(), 5)
    draining = asyncio.create_task(server.drain(5))
    assert await idle.rest() == b""
    calls.go.set()
    response = await client.response()
    assert (response.body, response.headers["connection"]) == (b"x", "close")
    await asyncio.wait_for(draining, 5)
    await idle.close()


async def test_closing_tells_calls_that_the_server_is_unavailable(connect, calls):
    server, client = await connect()
    client.send(request("POST", "/test.Test/Wait", PROTO, b"x"))
    await asyncio.wait_for(calls.started.wait(), 5)
    server.close()
    response = await client.response()
    assert (response.status, json.loads(response.body)["code"]) == (503, "unavailable")
    assert calls.cancelled.is_set() or (await asyncio.wait_for(calls.cancelled.wait(), 5))


async def test_a_handler_that_hangs_up_breaks_the_response_off(connect):
    _, client = await connect()
    client.send(request("POST", "/test.Test/HangUp", PROTO, b"x"))
    assert await client.rest() == b""


async def test_a_request_that_crashes_leaves_the_connection_usable(connect, caplog):
    caplog.set_level(logging.CRITICAL)
    _, client = await connect()
    client.send(request("POST", "/test.Test/Crash", PROTO, b"x"), say(b"2"))
    assert (await client.response()).status == 500
    assert (await client.response()).body == b"2"
