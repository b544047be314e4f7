"""HTTP as a client speaks it, over either version: requests out, whole responses in."""

import asyncio
import ssl as tls
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from wirescript import wire

Headers = dict[str, str]


@dataclass
class Response:
    status: int
    headers: Headers
    body: bytes
    values: list[tuple[str, str]] = field(default_factory=list)  # repeated headers too


class Http1Client:
    """A raw HTTP/1.1 client of a live server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int, ssl: tls.SSLContext | None = None) -> Self:
        name = "localhost" if ssl else None
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=ssl, server_hostname=name))

    def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    async def response(self, *, bodyless: bool = False) -> Response:
        """The next whole response."""
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")[:-2]
            values = [(name.lower(), value.strip()) for name, _, value in _split(lines)]
            headers = dict(values)
            if bodyless or int(first.split()[1]) in (100, 204):
                body = b""
            elif "content-length" in headers:
                body = await self.reader.readexactly(int(headers["content-length"]))
            elif headers.get("transfer-encoding") == "chunked":
                body = b"".join([chunk async for chunk in self.chunks()])
            else:
                body = await self.reader.read()
        return Response(int(first.split()[1]), headers, body, values)

    async def chunks(self):
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        assert await self.reader.readuntil(b"\r\n") == b"\r\n"

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, tls.SSLError):
            await self.writer.wait_closed()


def _split(lines: list[str]):
    return [line.partition(":") for line in lines]


def request(
    method: str, path: str, headers: Headers | None = None, body: bytes | None = None
) -> bytes:
    """The bytes of an HTTP/1.1 request."""
    fields = {"host": "localhost"} | (headers or {})
    if body is not None and "transfer-encoding" not in fields:
        fields.setdefault("content-length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


async def fetch_http1(port, method, path, headers=None, body=None, *, ssl=None) -> Response:
    client = await Http1Client.connect(port, ssl)
    client.send(request(method, path, headers, body))
    response = await client.response(bodyless=method == "HEAD")
    await client.close()
    return response


async def fetch_http2(port, method, path, headers=None, body=None, *, ssl=None) -> Response:
    client = await wire.Client.connect(port, ssl=ssl)
    fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "test")]
    fields += [(name, value) for name, value in (headers or {}).items()]
    client.send(wire.headers(1, fields, end=not body))
    for start in range(0, len(body or b""), 16384):
        piece = (body or b"")[start : start + 16384]
        client.send(wire.data(1, piece, end=start + 16384 >= len(body or b"")))
    values, received = [], b""
    while True:
        while not client.frames:
            assert await client.read(), "closed before the response"
        frame = client.frames.pop(0)
        assert frame.type not in (wire.GOAWAY, wire.RST_STREAM), frame
        if frame.type == wire.HEADERS:
            values += client.decoder.decode(frame.payload)
        elif frame.type == wire.DATA:
            received += frame.payload
        if frame.ended:
            break
    await client.close()
    headers = dict(values)
    return Response(int(headers.pop(":status")), headers, received, values)


def envelope(message: bytes, flags: int = 0) -> bytes:
    return wire.message(message, flags)


def envelopes(body: bytes) -> list[tuple[int, bytes]]:
    """The flags and payloads of a body, which must end with one."""
    found = []
    while body:
        size = int.from_bytes(body[1:5], "big")
        assert len(body) >= 5 + size, body
        found.append((body[0], body[5 : 5 + size]))
        body = body[5 + size :]
    return found
