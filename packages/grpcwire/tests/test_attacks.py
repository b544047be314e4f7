"""Attacks on a live server: the offender is cut off, everybody else is served.

After each attack a fresh client is answered within a second, memory is back within
64 MiB of where it was, and nothing is left under way.
"""

import asyncio
import gzip
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import repeat

import pytest
from wirescript import wire
from wirescript.server_process import ServerProcess, running
from wirescript.wire import Client, data, frame, headers, message, request, rst

# The server is a process of its own: which loop attacks it does not matter.
pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])
SEED = 20_260_101


@pytest.fixture(scope="module")
def process() -> Iterator[ServerProcess]:
    with running() as process:
        yield process


async def counters(port: int) -> dict[str, int]:
    """Asked by a fresh client, which is answered within a second."""
    async with asyncio.timeout(1):
        client = await Client.connect(port)
        client.send(request(1, path="/test.Test/Counters"))
        body = await client.until(wire.DATA)
    await client.close()
    return json.loads(body.payload[5:])


@pytest.fixture
async def port(process: ServerProcess) -> AsyncIterator[int]:
    """The server's port; afterwards the server must be as it was."""
    before = await counters(process.port)
    resident = process.resident_mib()
    yield process.port
    await counters(process.port)
    async with asyncio.timeout(10):
        while True:
            after = await counters(process.port)
            if after["connections"] == 1 and after["calls"] == 1:
                break
            await asyncio.sleep(0.05)
    assert after["buffered_bytes"] == 0
    assert process.resident_mib() < resident + 64
    assert after["calls_started"] >= before["calls_started"]


async def cut_off(port: int, *pieces: bytes, greet: bool = True) -> int:
    """Send until cut off, however long it takes; the code of the GOAWAY that answers."""
    client = await Client.connect(port, greet=greet)
    # Read meanwhile: what comes before a reset is lost to one who reads after it.
    goaway = asyncio.create_task(client.until(wire.GOAWAY, timeout_s=60))
    try:
        with suppress(ConnectionError):
            for piece in pieces:
                client.send(piece)
                await client.writer.drain()
                if goaway.done():
                    break
        return (await goaway).code
    finally:
        goaway.cancel()
        client.writer.transport.abort()


def odd(count: int) -> range:
    return range(1, 2 * count + 1, 2)


async def test_rapid_reset(port, process):
    """CVE-2023-44487: requests that are reset at once."""
    before = process.cpu_s()
    flood = b"".join(request(stream) + rst(stream) for stream in odd(20_000))
    assert await cut_off(port, flood) == wire.ENHANCE_YOUR_CALM
    assert process.cpu_s() - before < 0.5


async def test_rapid_reset_of_handlers_that_wait(port):
    flood = b"".join(
        request(stream, path="/test.Test/Wait") + rst(stream) for stream in odd(20_000)
    )
    assert await cut_off(port, flood) == wire.ENHANCE_YOUR_CALM


async def test_resets_in_packets_of_their_own(port):
    client = await Client.connect(port)
    for stream in odd(3000):
        client.send(request(stream, path="/test.Test/Wait"))
        await asyncio.sleep(0)
        client.send(rst(stream))
    assert (await client.until(wire.GOAWAY)).code == wire.ENHANCE_YOUR_CALM
    await client.close()


PROVOCATIONS = {
    "window update of nothing": lambda stream: wire.window_update(stream, 0),
    "window overflow": lambda stream: wire.window_update(stream, 2**31 - 1),
    "half-closed": lambda stream: data(stream, b"x" * 20, end=True) + data(stream, b"x" * 20),
    "priority length": lambda stream: frame(wire.PRIORITY, 0, stream, b"abcd"),
    "trailers without end": lambda stream: headers(stream, [("a", "b")]),
}


@pytest.mark.parametrize("name", PROVOCATIONS)
async def test_provoked_resets(port, name):
    """CVE-2025-8671, MadeYouReset: requests whose reset the peer provokes."""
    fields = wire.call("/test.Test/Wait")
    flood = [headers(stream, fields) + PROVOCATIONS[name](stream) for stream in odd(5000)]
    assert await cut_off(port, b"".join(flood)) == wire.ENHANCE_YOUR_CALM


@pytest.mark.parametrize("payload", [b"", b"\0\1a\1b" * 2000])
async def test_continuation_flood(port, payload):
    opened = frame(wire.HEADERS, 0, 1, wire.block(wire.POST))
    flood = frame(wire.CONTINUATION, 0, 1, payload) * 2000
    assert await cut_off(port, opened, flood) == wire.ENHANCE_YOUR_CALM


async def test_hpack_bomb(port):
    """One large entry, referred to again and again."""
    entry = b"\x40\x01a\x7f" + bytes([0xBD, 0x1D]) + b"v" * 3900
    client = await Client.connect(port)
    client.send(frame(wire.HEADERS, 5, 1, wire.block(wire.POST) + entry))
    for stream in range(3, 203, 2):
        bomb = wire.block(wire.POST) + b"\xbe" * 16_000
        client.send(frame(wire.HEADERS, 5, stream, bomb))
    for stream in range(3, 203, 2):
        assert (await client.status(stream))["grpc-status"] == "8"
    await client.close()


async def test_huge_header_list_fails_its_call_alone(port):
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Wait"))
    block = wire.block([*wire.POST, *(("a" * 50, "x" * 1000) for _ in range(70))])
    pieces = [block[start : start + 16_000] for start in range(0, len(block), 16_000)]
    client.send(frame(wire.HEADERS, wire.END_STREAM, 3, pieces[0]))
    for piece in pieces[1:]:
        client.send(frame(wire.CONTINUATION, 0, 3, piece))
    client.send(frame(wire.CONTINUATION, wire.END_HEADERS, 3), request(5))
    assert (await client.status(3))["grpc-status"] == "8"
    assert await client.status(5) == {"grpc-status": "0"}
    await client.close()


FLOODS = {
    "settings": wire.settings((0x4, 65_535), (0x1, 4096)),
    "settings of many parameters": wire.settings(*[(0x4, size) for size in range(2700)]),
    "ping": wire.ping(),
    "priority": frame(wire.PRIORITY, 0, 1, bytes(4) + b"\x0f"),
    "unknown frames": frame(0x77),
    "window updates": wire.window_update(0, 1),
    "goaway": wire.goaway(),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_floods_of_cheap_frames(port, name):
    count = min(20_000, 1_000_000 // len(FLOODS[name]))
    # Time gives budget back, so a flood goes on until it is cut off.
    flood = repeat(FLOODS[name] * count, 400)
    assert await cut_off(port, *flood) == wire.ENHANCE_YOUR_CALM


@pytest.mark.parametrize("piece", [b"", b"x"])
async def test_floods_of_empty_and_tiny_data(port, piece):
    opened = headers(1, wire.call("/test.Test/Up"))
    # The first frames may end the call; what comes behind it is cheap, and not for long.
    floods = [data(1, piece) * 20_000] * 10
    assert await cut_off(port, opened, *floods) == wire.ENHANCE_YOUR_CALM


async def test_window_overflow(port):
    assert await cut_off(port, wire.window_update(0, 2**31 - 1)) == wire.FLOW_CONTROL_ERROR


async def test_unread_responses(port):
    """Large responses asked for by clients that read nothing are not produced."""
    clients = []
    for _ in range(10):
        client = await Client.connect(port)
        client.writer.transport.pause_reading()
        client.send(wire.settings((0x4, 2**31 - 1)), wire.window_update(0, 2**30))
        for stream in odd(50):
            client.send(request(stream, b"100 100000", "/test.Test/Down"))
        clients.append(client)
    await asyncio.sleep(0.5)
    assert (await counters(port))["calls"] <= 501
    for client in clients:
        client.writer.transport.abort()


async def test_responses_behind_a_shut_window_are_given_up(port):
    opened = wire.settings((0x4, 0))
    flood = [request(stream, b"1 1000000", "/test.Test/Down") for stream in odd(90)]
    assert await cut_off(port, opened, *flood) == wire.ENHANCE_YOUR_CALM


async def test_slow_preface_on_200_connections(port):
    clients = [await Client.connect(port, greet=False) for _ in range(200)]
    for client in clients:
        client.send(wire.PREFACE[:5])
    await counters(port)
    for client in clients:
        assert (await client.until(wire.GOAWAY)).code == wire.SETTINGS_TIMEOUT
        await client.close()


async def test_10_000_half_open_streams(port):
    clients = [await Client.connect(port) for _ in range(100)]
    for client in clients:
        client.send(*[headers(stream) for stream in odd(100)])
    for client in clients:
        client.send(headers(201))
        await client.until(wire.RST_STREAM)
    assert (await counters(port))["streams_refused"] >= 100
    for client in clients:
        await client.close()


async def test_a_declared_4_gib_message(port):
    client = await Client.connect(port)
    client.send(headers(1), data(1, b"\0\xff\xff\xff\xff"))
    assert (await client.status(1))["grpc-status"] == "8"
    await client.close()


async def test_gzip_bomb(port):
    bomb = gzip.compress(bytes(256 * 1024 * 1024), 9)
    client = await Client.connect(port)
    client.send(headers(1, wire.call(grpc_encoding="gzip")))
    body = message(bomb, 1)
    window = 65_535
    for start in range(0, len(body), 16_000):
        piece = body[start : start + 16_000]
        while window < len(piece):
            update = await client.until(wire.WINDOW_UPDATE, 1)
            window += int.from_bytes(update.payload, "big")
        window -= len(piece)
        client.send(data(1, piece, end=start + 16_000 >= len(body)))
    assert (await client.status(1))["grpc-status"] == "8"
    await client.close()


async def survive(port: int, sessions: list[bytes]) -> None:
    """Send each to a connection of its own, and let the server make of it what it will."""
    for start in range(0, len(sessions), 50):
        clients = []
        for session in sessions[start : start + 50]:
            client = await Client.connect(port, greet=False)
            client.send(session)
            clients.append(client)
        await asyncio.sleep(0)
        for client in clients:
            if client.writer.can_write_eof():
                client.writer.write_eof()
        for client in clients:
            try:
                while await client.read(5):
                    pass
            except TimeoutError:
                pytest.fail("a connection with its end was not ended")
            await client.close()


async def test_malformed_everything(port):
    chance = random.Random(SEED)
    sessions = []
    for _ in range(300):
        frames = [
            frame(
                chance.randrange(12),
                chance.randrange(256),
                chance.choice([0, 1, 1, 3, 2, 2**31 - 1]),
                chance.randbytes(chance.choice([0, 1, 4, 5, 6, 8, 30])),
            )
            for _ in range(20)
        ]
        sessions.append(wire.PREFACE + wire.settings() + headers(1) + b"".join(frames))
    await survive(port, sessions)


async def test_random_bytes(port):
    chance = random.Random(SEED)
    noise = [chance.randbytes(chance.randrange(1, 2000)) for _ in range(200)]
    await survive(port, noise + [wire.PREFACE + wire.settings() + each for each in noise])


async def test_bit_flipped_recordings_of_valid_sessions(port):
    chance = random.Random(SEED)
    session = wire.PREFACE + wire.settings((0x3, 100), (0x4, 65_535))
    session += request(1, b"hello") + wire.ping() + request(3, b"5", "/test.Test/Down")
    session += headers(5, wire.call("/test.Test/Up")) + data(5, message(b"abc"), end=True)
    session += wire.window_update(0, 1000) + rst(5) + request(7, b"x" * 500)
    sessions = []
    for _ in range(500):
        flipped = bytearray(session)
        for _ in range(chance.randrange(1, 4)):
            flipped[chance.randrange(24, len(flipped))] ^= 1 << chance.randrange(8)
        sessions.append(bytes(flipped))
    await survive(port, sessions)


async def test_a_neighbour_is_served_during_an_attack(port):
    """The work of one turn is bounded, so the others' calls stay quick."""
    neighbour = await Client.connect(port)
    attacker = await Client.connect(port)
    attacker.send(b"".join(request(stream) + rst(stream) for stream in odd(20_000)))
    worst = 0.0
    for stream in odd(50):
        began = time.monotonic()
        neighbour.send(request(stream))
        await neighbour.status(stream)
        worst = max(worst, time.monotonic() - began)
    assert worst < 0.5
    await neighbour.close()
    attacker.writer.transport.abort()
