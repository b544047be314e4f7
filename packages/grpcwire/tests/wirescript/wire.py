"""Wire scripts: frames in, frames out; against the core alone or a live server.

Built on the hpack package and plain struct, not on the code under test.
"""

import asyncio
import ssl as tls
from collections.abc import Iterable
from contextlib import suppress
from struct import Struct
from typing import NamedTuple, Self

import hpack

from grpcwire.counters import Counters
from grpcwire.http2.server_connection import ServerConnection
from grpcwire.limits import Limits

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(5, 10)
END_STREAM, END_HEADERS, PADDED, PRIORITY_FLAG, ACK = 0x1, 0x4, 0x8, 0x20, 0x1
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT = range(5)
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = range(5, 10)
ENHANCE_YOUR_CALM = 11
_header = Struct(">BHBBL")

POST = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/test.Test/Say"),
    (":authority", "localhost"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
]


class Frame(NamedTuple):
    type: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self) -> int:
        """The error code of RST_STREAM or GOAWAY."""
        offset = 4 if self.type == GOAWAY else 0
        return int.from_bytes(self.payload[offset : offset + 4], "big")

    @property
    def ended(self) -> bool:
        return self.type in (DATA, HEADERS) and bool(self.flags & END_STREAM)


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    size = len(payload)
    return _header.pack(size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def parse(raw: bytes) -> tuple[list[Frame], bytes]:
    """Whole frames and the rest."""
    frames = []
    while len(raw) >= 9:
        high, low, kind, flags, stream = _header.unpack_from(raw)
        end = 9 + (high << 16 | low)
        if len(raw) < end:
            break
        frames.append(Frame(kind, flags, stream, raw[9:end]))
        raw = raw[end:]
    return frames, raw


def settings(*pairs: tuple[int, int], ack: bool = False) -> bytes:
    payload = b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in pairs)
    return frame(SETTINGS, ACK if ack else 0, 0, payload)


def block(fields: Iterable[tuple[str | bytes, str | bytes]]) -> bytes:
    """A header block without the dynamic table and without Huffman codes."""
    encoder = hpack.Encoder()
    never = [hpack.NeverIndexedHeaderTuple(*field) for field in fields]
    return encoder.encode(never, huffman=False)


def headers(
    stream: int, fields: Iterable[tuple[str, str]] = POST, *, end: bool = False, flags: int = 0
) -> bytes:
    flags |= END_HEADERS | (END_STREAM if end else 0)
    return frame(HEADERS, flags, stream, block(fields))


def data(stream: int, payload: bytes = b"", *, end: bool = False) -> bytes:
    return frame(DATA, END_STREAM if end else 0, stream, payload)


def message(payload: bytes, flags: int = 0) -> bytes:
    return bytes([flags]) + len(payload).to_bytes(4, "big") + payload


def request(
    stream: int, payload: bytes = b"hi", path: str = "/test.Test/Say", **more: str
) -> bytes:
    """A whole unary call."""
    return headers(stream, call(path, **more)) + data(stream, message(payload), end=True)


def call(path: str = "/test.Test/Say", **more: str) -> list[tuple[str, str]]:
    fields = [(name, path if name == ":path" else value) for name, value in POST]
    return fields + [(name.replace("_", "-"), value) for name, value in more.items()]


def rst(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def window_update(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def ping(opaque: bytes = b"12345678", *, ack: bool = False) -> bytes:
    return frame(PING, ACK if ack else 0, 0, opaque)


def goaway(code: int = NO_ERROR) -> bytes:
    return frame(GOAWAY, 0, 0, (0).to_bytes(4, "big") + code.to_bytes(4, "big"))


class Script:
    """The core of one connection, greeted already."""

    def __init__(self, limits: Limits | None = None, *, greet: bool = True) -> None:
        self.counters = Counters()
        self.connection = ServerConnection(limits or Limits(), self.counters)
        self.decoder = hpack.Decoder()
        if greet:
            self.feed(PREFACE + settings())
            self.sent()

    def turn(self, data: bytes = b"") -> list:
        """The events of one turn."""
        self.connection.begin_turn(data)
        return [*self.connection.events()]

    def feed(self, *pieces: bytes) -> list:
        events = self.turn(b"".join(pieces))
        while self.connection.backlogged:
            events += self.turn()
        return events

    def sent(self) -> list[Frame]:
        frames, rest = parse(bytes(self.connection.sender.take()))
        assert rest == b""
        return frames

    def answer(self, *pieces: bytes) -> list[Frame]:
        """Return the frames sent in answer to these."""
        self.feed(*pieces)
        return self.sent()

    def fields(self, frame: Frame) -> dict[str, str]:
        return dict(self.decoder.decode(frame.payload))


class Client:
    """A raw HTTP/2 client of a live server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.frames: list[Frame] = []
        self.decoder = hpack.Decoder()
        self._rest = b""

    @classmethod
    async def connect(
        cls, port: int, *, greet: bool = True, ssl: tls.SSLContext | None = None
    ) -> Self:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=ssl, server_hostname="localhost" if ssl else None
        )
        client = cls(reader, writer)
        if greet:
            client.send(PREFACE + settings())
        return client

    def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    async def read(self, timeout_s: float = 5) -> bool:
        """Take in what comes; False at the end of the connection."""
        async with asyncio.timeout(timeout_s):
            try:
                raw = await self.reader.read(65536)
            except ConnectionError:
                return False
        frames, self._rest = parse(self._rest + raw)
        self.frames += frames
        return bool(raw)

    async def until(
        self,
        kind: int,
        stream: int | None = None,
        *,
        ended: bool = False,
        timeout_s: float = 5,
    ) -> Frame:
        """The first frame of a type, which then is forgotten with all before it."""
        while True:
            for index, each in enumerate(self.frames):
                matches = each.type == kind and (stream is None or each.stream == stream)
                if matches and (not ended or each.ended):
                    del self.frames[: index + 1]
                    return each
            assert await self.read(timeout_s), f"closed before frame type {kind}: {self.frames}"

    async def status(self, stream: int) -> dict[str, str]:
        """The last header block of a stream."""
        while True:
            while self.frames:
                each = self.frames.pop(0)
                if each.type == HEADERS:
                    fields = dict(self.decoder.decode(each.payload))
                    if each.stream == stream and each.ended:
                        return fields
                assert not (each.type == RST_STREAM and each.stream == stream), each
                assert each.type != GOAWAY, each
            assert await self.read(), "closed before the status"

    async def ended(self) -> list[Frame]:
        """Everything up to the end of the connection."""
        while await self.read():
            pass
        return self.frames

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, tls.SSLError):
            await self.writer.wait_closed()
