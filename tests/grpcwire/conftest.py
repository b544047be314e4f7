"""A live server for raw frames and for grpcio, on asyncio's loop and on uvloop's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvloop
from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.base import CodecBase, StatusDetailsCodecBase
from grpclib.exceptions import GRPCError
from grpclib.utils import graceful_exit  # noqa: F401 - proves that the name is there

from grpcwire import Limits, Server, current_call
from tests.grpcwire.wire import Client


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class RawCodec(CodecBase):
    """Messages that are octets; what begins with an exclamation mark is malformed."""

    __content_subtype__ = "proto"

    def encode(self, message: bytes, message_type: Any) -> bytes:
        if not isinstance(message, bytes):
            raise TypeError(message)
        return message

    def decode(self, data: bytes, message_type: Any) -> bytes:
        if data.startswith(b"!"):
            raise ValueError("the peer must not see this: malformed")
        return bytes(data)


class RawDetailsCodec(StatusDetailsCodecBase):
    def encode(self, status: Status, message: str | None, details: Any) -> bytes:
        return details

    def decode(self, status: Status, message: str | None, data: bytes) -> bytes:
        return data


class Calls:
    """Handlers of every kind, and what they saw."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.go = asyncio.Event()
        self.streams: list[Any] = []

    async def say(self, stream):
        request = await stream.recv_message()
        self.seen.append(request)
        self.streams.append(stream)
        await stream.send_message(request)

    async def fail(self, stream):
        text = (await stream.recv_message()).decode()
        raise GRPCError(Status.NOT_FOUND, text, b"details\0")

    async def crash(self, stream):
        await stream.recv_message()
        raise RuntimeError("the peer must not see this: secret")

    async def wait(self, stream):
        request = await stream.recv_message()
        self.started.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        await stream.send_message(request)

    async def stubborn(self, stream):
        await stream.recv_message()
        self.started.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            await self.go.wait()
        await stream.send_message(b"late")

    async def silent(self, stream):
        await stream.recv_message()

    async def down(self, stream):
        count, _, size = (await stream.recv_message()).partition(b" ")
        try:
            for number in range(int(count)):
                await stream.send_message(bytes(int(size or 10)))
                self.seen.append(number)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def up(self, stream):
        total = 0
        async for message in stream:
            self.seen.append(message)
            total += len(message)
        await stream.send_message(b"%d" % total)

    async def unread(self, stream):
        self.started.set()
        await self.go.wait()
        total = 0
        async for message in stream:
            total += len(message)
        await stream.send_message(b"%d" % total)

    async def both(self, stream):
        async for message in stream:
            await stream.send_message(message)

    async def context(self, stream):
        await stream.recv_message()
        call = current_call()
        assert call is not None
        self.seen.append(call)
        call.initial_metadata["x-initial"] = "one"
        call.trailing_metadata["x-trailing"] = "two"
        call.trailing_metadata["x-raw-bin"] = b"\0\xff"
        await stream.send_message(b"")

    async def explicit(self, stream):
        await stream.recv_message()
        await stream.send_initial_metadata(metadata={"x-initial": "one"})
        await stream.send_message(b"x")
        await stream.send_trailing_metadata(metadata={"x-trailing": "two"})

    async def hang_up(self, stream):
        await stream.recv_message()
        await stream.cancel()

    def __mapping__(self) -> dict[str, Handler]:
        kinds = {
            "Down": Cardinality.UNARY_STREAM,
            "Up": Cardinality.STREAM_UNARY,
            "Unread": Cardinality.STREAM_UNARY,
            "Both": Cardinality.STREAM_STREAM,
        }
        names = ["Say", "Fail", "Crash", "Wait", "Stubborn", "Silent", "Context", "Explicit"]
        names += ["HangUp", *kinds]
        functions = {name: name.lower() for name in names} | {"HangUp": "hang_up"}
        return {
            f"/test.Test/{name}": Handler(
                getattr(self, functions[name]),
                kinds.get(name, Cardinality.UNARY_UNARY),
                bytes,
                bytes,
            )
            for name in names
        }


Serve = Callable[..., Awaitable[tuple[Server, int]]]


@pytest.fixture
async def calls() -> Calls:
    return Calls()


@pytest.fixture
async def serve(calls: Calls) -> AsyncIterator[Serve]:
    """Start servers of `calls`; afterwards every gauge must be back at zero."""
    servers = []

    async def start(*, handlers=None, ssl=None, **options) -> tuple[Server, int]:
        codecs = {"codec": RawCodec(), "status_details_codec": RawDetailsCodec()}
        # Raw clients do not close when the server has, so its patience is short.
        options = codecs | {"limits": Limits(linger_s=0.1)} | options
        server = Server(handlers or [calls], **options)
        await server.start("127.0.0.1", 0, ssl=ssl)
        servers.append(server)
        return server, server.sockets[0].getsockname()[1]

    yield start
    calls.go.set()
    for server in servers:
        server.close()
        async with asyncio.timeout(5):
            await server.wait_closed()
        counters = server.counters
        assert (counters.connections, counters.calls) == (0, 0)
        assert (counters.buffered_bytes, counters.unsent_bytes) == (0, 0)


@pytest.fixture
async def client(serve: Serve) -> AsyncIterator[Client]:
    """A raw client of a server with default limits."""
    _, port = await serve()
    client = await Client.connect(port)
    yield client
    await client.close()
