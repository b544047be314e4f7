"""Handlers of every kind, and codecs whose messages are bytes."""

import asyncio
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.base import CodecBase, StatusDetailsCodecBase
from grpclib.exceptions import GRPCError

from grpcwire import current_call


class RawCodec(CodecBase):
    """Messages that are bytes; what begins with an exclamation mark is malformed."""

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


class ProtobufJsonCodec(CodecBase):
    """JSON by protobuf's own runtime, for the messages of health and reflection."""

    __content_subtype__ = "json"

    def encode(self, message: Message, message_type: Any) -> bytes:
        return json_format.MessageToJson(message, indent=None).encode()

    def decode(self, data: bytes, message_type: Any) -> Message:
        return json_format.Parse(data, message_type(), ignore_unknown_fields=True)


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
