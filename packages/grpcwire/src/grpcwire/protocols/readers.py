"""Readers of request bodies that are not plain envelopes.

A bare message is the body itself, from its first byte to the end of the request; the
body of gRPC-Web-text is envelopes in base64. Failures are `GRPCError`s, as in
`calls.envelope`, whose reader finds the messages of all other bodies.
"""

import binascii
from base64 import b64decode
from typing import Final

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from typing_extensions import override

from grpcwire.calls.envelope import TOO_LARGE, EnvelopeReader, MessageReader, inflate
from grpcwire.counters import Counters

__all__ = ["BareReader", "TextReader"]

_QUANTUM: Final = 4
"""Characters of base64 that stand for whole bytes."""


class BareReader(MessageReader):
    """The reader of a unary Connect request: the body is one message, even if empty."""

    __slots__ = ("_buffer", "_counters", "_gzipped", "_limit")

    def __init__(self, limit: int, counters: Counters, *, gzipped: bool) -> None:
        """`limit` bounds the message in bytes, gzipped and inflated."""
        self._buffer = bytearray()
        self._limit = limit
        self._counters = counters
        self._gzipped = gzipped

    @property
    @override
    def pending_bytes(self) -> int:
        return len(self._buffer)

    @override
    def feed(self, data: bytes) -> list[bytes]:
        if len(self._buffer) + len(data) > self._limit:
            self._counters.message_too_large += 1
            raise GRPCError(Status.RESOURCE_EXHAUSTED, TOO_LARGE)
        self._buffer += data
        return []

    @override
    def end(self) -> list[bytes]:
        data = bytes(self._buffer)
        self._buffer.clear()
        # An empty body is not to be inflated (Connect, Unary-Request).
        return [inflate(data, self._limit, self._counters) if self._gzipped and data else data]


class TextReader(MessageReader):
    """The reader of envelopes in base64, each piece of them padded for itself (grpc-web-text)."""

    __slots__ = ("_reader", "_rest")

    def __init__(self, reader: EnvelopeReader) -> None:
        self._reader = reader
        self._rest = b""

    @property
    @override
    def pending_bytes(self) -> int:
        return self._reader.pending_bytes + len(self._rest)

    @override
    def feed(self, data: bytes) -> list[bytes]:
        text = self._rest + data
        whole = len(text) - len(text) % _QUANTUM
        self._rest = text[whole:]
        envelopes = bytearray()
        start = 0
        while start < whole:
            pad = text.find(b"=", start, whole)
            end = whole if pad < 0 else pad - pad % _QUANTUM + _QUANTUM
            envelopes += _decoded(text[start:end])
            start = end
        return self._reader.feed(bytes(envelopes))

    @override
    def end(self) -> list[bytes]:
        if self._rest:
            raise GRPCError(Status.INTERNAL, "Request is not base64")
        return self._reader.end()


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        raise GRPCError(Status.INTERNAL, "Request is not base64") from None
