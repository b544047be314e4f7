"""Millions of calls with everything mixed in leave nothing behind."""

import asyncio
import json
import os
import random

import pytest
from wirescript import wire
from wirescript.server_process import ServerProcess, running
from wirescript.wire import Client, call, data, headers, message, request, rst

# The soak of a release is five million: SOAK_CALLS=5000000.
CALLS = int(os.environ.get("SOAK_CALLS", "300000"))
CONNECTIONS = 8
BATCH = 40


# The kinds of calls and how often each comes, in hundredths. Each ends by itself or
# by what it says.
MIX = {
    70: lambda chance, stream: request(
        stream, b"x" * chance.choice([0, 10, 100, 3000]), grpc_timeout="10S"
    ),
    75: lambda _, stream: request(stream, b"not found", "/test.Test/Fail"),
    80: lambda _, stream: request(stream, path="/test.Test/Wait", grpc_timeout="2m"),
    85: lambda _, stream: request(stream, path="/test.Test/Wait") + rst(stream),
    90: lambda _, stream: request(stream, b"!malformed"),
    93: lambda _, stream: request(stream, b"5 200", "/test.Test/Down"),
    96: lambda _, stream: (
        headers(stream, call("/test.Test/Both"))
        + data(stream, message(b"some")) * 3
        + data(stream, end=True)
    ),
    98: lambda _, stream: headers(stream, call(), end=True),
    100: lambda _, stream: headers(stream, call("/test.Test/None"), end=True),
}


def mixed(chance: random.Random, stream: int) -> bytes:
    """One call of some kind."""
    drawn = chance.randrange(100)
    return next(kind for share, kind in MIX.items() if drawn < share)(chance, stream)


async def load(port: int, seed: int, calls: int) -> None:
    chance = random.Random(seed)
    client = await Client.connect(port)
    stream = 1
    while calls > 0:
        batch = range(stream, stream + 2 * BATCH, 2)
        pieces = [mixed(chance, each) for each in batch]
        own = {each for each, piece in zip(batch, pieces, strict=True) if piece[-13:] == rst(each)}
        client.send(*pieces, wire.window_update(0, 200_000))
        ended: set[int] = set()
        while len(ended | own) < BATCH:
            while client.frames:
                each = client.frames.pop()
                assert each.type != wire.GOAWAY, each
                if each.ended or each.type == wire.RST_STREAM:
                    ended.add(each.stream)
            if len(ended | own) < BATCH:
                assert await client.read(10)
        stream += 2 * BATCH
        calls -= BATCH
        if chance.random() < 0.01:
            client.send(*[request(stream + each, path="/test.Test/Wait") for each in (0, 2, 4)])
            await client.writer.drain()
            client.writer.transport.abort()
            client, stream = await Client.connect(port), 1
    await client.close()


async def counters(port: int) -> dict[str, int]:
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Counters"))
    body = await client.until(wire.DATA)
    await client.close()
    return json.loads(body.payload[5:])


async def soak(process: ServerProcess, calls: int, seed: int) -> None:
    share = calls // CONNECTIONS
    await asyncio.gather(
        *[load(process.port, seed + number, share) for number in range(CONNECTIONS)]
    )


@pytest.mark.long
@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_memory_stays_flat_and_every_gauge_returns_to_zero():
    with running() as process:
        await soak(process, CALLS // 5, seed=1)
        warm = process.resident_mib()
        await soak(process, CALLS - CALLS // 5, seed=2)
        async with asyncio.timeout(10):
            while (found := await counters(process.port))["connections"] > 1:
                await asyncio.sleep(0.1)
        print(f"{CALLS} calls, {warm:.1f} -> {process.resident_mib():.1f} MiB", found)
        assert process.resident_mib() < warm + 8
        assert found["calls"] == 1, "only the one that asks"
        assert found["buffered_bytes"] == 0
        assert found["calls_started"] == found["calls_completed"] + 1
        assert found["budget_exhausted"] == 0
        assert found["deadlines_exceeded"] > 0
        assert found["streams_reset_by_peer"] > 0
