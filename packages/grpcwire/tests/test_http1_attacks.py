"""HTTP/1.1 as attackers write it: every one is cut off or refused, nobody else notices.

After each attack a fresh client is answered, and nothing of the attack is left.
"""

import asyncio
import gzip
import random
import time

import pytest
from wirescript.http import Http1Client, chunked, fetch_http1, request

from grpcwire import Limits

SAY = "/test.Test/Say"
PROTO = {"content-type": "application/proto"}
HEAD = b"POST /test.Test/Say HTTP/1.1\r\nhost: x\r\ncontent-type: application/proto\r\n"
CHUNKS = HEAD + b"transfer-encoding: chunked\r\n\r\n"


@pytest.fixture
async def target(serve, calls):
    """A server; afterwards it must answer at once and hold nothing."""
    server, port = await serve(limits=Limits(preface_s=0.3, linger_s=0.2))
    yield server, port
    began = time.monotonic()
    response = await fetch_http1(port, "POST", SAY, PROTO, b"well")
    assert response.body == b"well"
    assert time.monotonic() - began < 1
    assert server.counters.buffered_bytes == 0


async def attack(port, *raw):
    """Return the server's words until it closes the connection."""
    client = await Http1Client.connect(port)
    try:
        client.send(*raw)
        await client.writer.drain()
    except ConnectionError:
        pass
    said = await client.rest()
    await client.close()
    return said


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        # Two lengths, which two servers would read in two ways.
        (HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET", 400),
        (HEAD + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\nGET", 400),
        (HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!", 400),
        (HEAD + b"content-length: 5, 6\r\n\r\nhello!", 400),
        (HEAD + b"content-length: +5\r\n\r\nhello", 400),
        (HEAD + b"content-length: -5\r\n\r\nhello", 400),
        (HEAD + b"content-length: 0x5\r\n\r\nhello", 400),
        (HEAD + b"content-length: 5_0\r\n\r\nhello", 400),
        (HEAD + b"content-length: 9999999999999999999\r\n\r\nhello", 413),
        # A coding that only one of them understands.
        (HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (HEAD + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
        (HEAD + b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501),
        (HEAD + b"transfer-encoding: chunked\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n", 501),
        (HEAD.replace(b"1.1", b"1.0") + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        # Names, values and lines that are none.
        (HEAD + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b" transfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"x: y\r\n folded\r\n\r\n", 400),
        (HEAD + b"x: \0\r\n\r\n", 400),
        (HEAD + b"x: a\nb: c\r\n\r\n", 400),
        (HEAD + b"x: a\rb: c\r\n\r\n", 400),
        (HEAD + b"x\x0b: a\r\n\r\n", 400),
        (HEAD + b": a\r\n\r\n", 400),
        (HEAD.replace(b"\r\n", b"\n") + b"\n", 400),
        # Requests that are none.
        (HEAD + b"host: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nhost: x\r\n\r\n", 505),
        (b"GET / HTTP/1.2\r\nhost: x\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        (b"G\xc3 / HTTP/1.1\r\nhost: x\r\n\r\n", 400),
        # Chunks that are none.
        (CHUNKS + b"x\r\n", 400),
        (CHUNKS + b"-1\r\nx\r\n", 400),
        (CHUNKS + b"0x1\r\nx\r\n", 400),
        (CHUNKS + b"1 \nx\r\n", 400),
        (CHUNKS + b"1\nx\r\n", 400),
        (CHUNKS + b"1\r\nxy\r\n0\r\n\r\n", 400),
        (CHUNKS + b"1\r\nx0\r\n\r\n", 400),
        (CHUNKS + b"ffffffffffffffffffffff\r\nx", 400),
        (CHUNKS + b"1;" + b"x" * 100_000, 431),
        (CHUNKS + b"0\r\n" + b"x: y\r\n" * 10_000, 431),
        (CHUNKS + b"0\r\nx : y\r\n\r\n", 400),
        (CHUNKS + b"0\r\n\n", 400),
        (CHUNKS + b"0\r\nx: y\n\n", 400),
        (CHUNKS + b"0\r\nx: y\r\n\n" + HEAD + b"\r\n", 400),
        (CHUNKS + b"0\r\nx: y\n\r\n", 400),
    ],
)
async def test_what_two_servers_could_read_in_two_ways_is_refused(target, calls, raw, status):
    said = await attack(target[1], raw)
    assert said.startswith(b"HTTP/1.1 %d " % status), said
    assert b"connection: close" in said
    assert said.count(b"HTTP/1.1 ") == 1
    assert calls.seen == []


async def test_a_smuggled_request_is_never_answered(target, calls):
    hidden = request("POST", SAY, PROTO, b"hidden")
    for raw in (
        HEAD + b"content-length: %d\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" % len(hidden),
        HEAD + b"transfer-encoding: identity\r\ncontent-length: 0\r\n\r\n",
    ):
        said = await attack(target[1], raw, hidden)
        assert said.count(b"HTTP/1.1 ") == 1
    assert calls.seen == []


async def test_one_endless_head_is_refused_at_the_limit(target):
    server, port = target
    for piece in (b"x: y\r\n" * 100_000, b"x" * 600_000):
        assert (await attack(port, HEAD, piece)).startswith(b"HTTP/1.1 431 ")
    assert (await attack(port, b"GET /", b"x" * 600_000)).startswith(b"HTTP/1.1 431 ")
    assert server.counters.header_list_too_large == 3


async def test_slow_heads_on_many_connections_are_all_cut_off(target):
    server, port = target
    clients = [await Http1Client.connect(port) for _ in range(200)]

    async def drip():
        while True:
            for client in clients:
                client.send(b"G")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    said = await asyncio.gather(*(client.rest() for client in clients))
    dripping.cancel()
    assert all(each.startswith(b"HTTP/1.1 408 ") or not each for each in said)
    assert server.counters.preface_timeouts == 200
    for client in clients:
        await client.close()


async def test_a_flood_of_pipelined_requests_takes_turns_with_the_others(target):
    server, port = target
    flooder = await Http1Client.connect(port)
    flooder.send(*[request("GET", "/")] * 20_000)
    reading = asyncio.create_task(flooder.rest())
    began = time.monotonic()
    response = await fetch_http1(port, "POST", SAY, PROTO, b"me too")
    assert response.body == b"me too"
    assert time.monotonic() - began < 1
    assert server.counters.turns_cut > 0
    reading.cancel()
    flooder.writer.transport.abort()


async def test_a_flood_that_reads_nothing_is_not_answered_without_end(target):
    _, port = target
    flooder = await Http1Client.connect(port)
    flooder.writer.transport.pause_reading()
    flooder.send(*[request("GET", "/" + "x" * 1000)] * 20_000)
    await asyncio.sleep(0.3)
    assert flooder.writer.transport.get_write_buffer_size() > 0
    flooder.writer.transport.abort()


async def test_large_answers_are_not_made_for_who_reads_none(target, calls):
    server, port = target
    reply = bytes(1_000_000)
    headers = PROTO | {"content-encoding": "gzip", "accept-encoding": "identity"}
    flooder = await Http1Client.connect(port)
    flooder.writer.transport.pause_reading()
    flooder.send(*[request("POST", SAY, headers, gzip.compress(reply))] * 50)
    async with asyncio.timeout(5):
        while not calls.seen:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    assert len(calls.seen) < 20
    flooder.writer.transport.resume_reading()
    for _ in range(50):
        assert (await flooder.response()).body == reply
    assert server.counters.preface_timeouts == 0
    await flooder.close()


@pytest.mark.parametrize("size", [1, 2, 15])
async def test_tiny_chunks_are_cut_off(target, size):
    server, port = target
    tiny = b"%x\r\n%b\r\n" % (size, bytes(size))
    said = await attack(port, CHUNKS, tiny * 50_000)
    assert said.startswith(b"HTTP/1.1 429 ")
    assert server.counters.budget_exhausted == 1


async def test_chunks_of_a_decent_size_are_not(target):
    _, port = target
    body = chunked(*[bytes(16)] * 5000)
    headers = PROTO | {"transfer-encoding": "chunked"}
    assert (await fetch_http1(port, "POST", SAY, headers, body)).body == bytes(80_000)


async def test_empty_lines_without_end_are_cut_off(target):
    _, port = target
    assert (await attack(port, b"\r\n" * 500_000)).startswith(b"HTTP/1.1 429 ")


async def test_random_bytes_and_bit_flips_do_no_harm(target):
    _, port = target
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    whole = request("POST", SAY, PROTO, b"hello") + CHUNKS + chunked(b"hello")
    for _ in range(100):
        raw = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        client = await Http1Client.connect(port)
        client.send(bytes(raw))
        client.writer.write_eof()
        await client.rest()
        await client.close()
        client = await Http1Client.connect(port)
        client.send(b"G" + chance.randbytes(200))
        client.writer.write_eof()
        await client.rest()
        await client.close()
