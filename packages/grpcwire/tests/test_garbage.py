"""The parts of a call are gone with it, without the garbage collector."""

import asyncio
import gc
from contextlib import contextmanager

import pytest
from wirescript.http import request as http_request
from wirescript.wire import Client, call, data, headers, message, request, rst

CONNECT = {"content-type": "application/proto"}


@contextmanager
def no_collection():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def objects_of_calls():
    """Return the objects of ours that belong to one call only."""
    kinds = {"GrpcCall", "BareCall", "EnvelopedCall", "Stream", "Http1Response", "RequestBody"}
    return [
        each
        for each in gc.get_objects()
        if type(each).__name__ in kinds and type(each).__module__.startswith("grpcwire")
    ]


KINDS = {
    "an answer": lambda stream: request(stream, b"hello"),
    "a status": lambda stream: request(stream, b"no", "/test.Test/Fail"),
    "a malformed message": lambda stream: request(stream, b"!"),
    "a deadline": lambda stream: request(stream, path="/test.Test/Wait", grpc_timeout="1m"),
    "a stream of answers": lambda stream: request(stream, b"3 10", "/test.Test/Down"),
    "a stream of requests": lambda stream: (
        headers(stream, call("/test.Test/Up")) + data(stream, message(b"x"), end=True)
    ),
}


async def settled(server, calls):
    """Wait until so many calls are over, and then until nothing of them is left."""
    async with asyncio.timeout(5):
        while server.counters.calls_completed < calls or objects_of_calls():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_grpc_call_leaves_nothing(serve, calls, kind):
    server, port = await serve()
    calls.streams = calls.seen = Nothing()
    client = await Client.connect(port)
    with no_collection():
        client.send(*[KINDS[kind](stream) for stream in range(1, 41, 2)])
        await settled(server, 20)
    await client.close()


async def test_a_call_that_the_client_resets_leaves_nothing(serve):
    server, port = await serve()
    client = await Client.connect(port)
    with no_collection():
        client.send(request(1, path="/test.Test/Wait"))
        async with asyncio.timeout(5):
            while not server.counters.calls:
                await asyncio.sleep(0.01)
        client.send(rst(1))
        await settled(server, 1)
    await client.close()


@pytest.mark.parametrize("body", [b"hello", b"!"])
async def test_a_connect_call_leaves_nothing(serve, calls, body):
    server, port = await serve()
    calls.streams = calls.seen = Nothing()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with no_collection():
        for _ in range(10):
            writer.write(http_request("POST", "/test.Test/Say", CONNECT, body))
            await reader.readuntil(b"\r\n\r\n")
        await settled(server, 10)
    writer.close()
    await writer.wait_closed()


class Nothing(list):
    def append(self, item):
        """Keep nothing."""
