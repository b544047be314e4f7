"""Messages as these protocols put them into a request's body.

A bare message is the body itself, from the first octet to the end of the request; the
text of gRPC-Web-text is envelopes in base64. Failures are `GRPCError`s, as in
`envelope`, whose reader finds the messages of all other bodies.
"""

import binascii
from base64 import b64decode
from typing import Final

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from grpcwire.calls.envelope import TOO_LARGE, EnvelopeReader, inflate
from grpcwire.counters import Counters

_QUANTUM: Final = 4  # characters of base64 that stand for whole octets


class BareReader:
    """The body of a unary Connect request: one message, the empty one too."""

    __slots__ = ("_buffer", "_counters", "_gzipped", "_limit")

    def __init__(self, limit: int, counters: Counters, *, gzipped: bool) -> None:
        """`limit` bounds the message, packed and not."""
        self._buffer = bytearray()
        self._limit = limit
        self._counters = counters
        self._gzipped = gzipped

    @property
    def pending_bytes(self) -> int:
        """What is kept of the message."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Keep a piece; no message is complete before the end."""
        if len(self._buffer) + len(data) > self._limit:
            self._counters.message_too_large += 1
            raise GRPCError(Status.RESOURCE_EXHAUSTED, TOO_LARGE)
        self._buffer += data
        return []

    def end(self) -> list[bytes]:
        """The message."""
        data = bytes(self._buffer)
        self._buffer.clear()
        # An empty body is not to be inflated (Connect, Unary-Request).
        return [inflate(data, self._limit, self._counters) if self._gzipped and data else data]


class TextReader:
    """Envelopes in base64, whose pieces may each be padded (application/grpc-web-text)."""

    __slots__ = ("_reader", "_rest")

    def __init__(self, reader: EnvelopeReader) -> None:
        self._reader = reader
        self._rest = b""

    @property
    def pending_bytes(self) -> int:
        """What is kept of a message that is not complete."""
        return self._reader.pending_bytes + len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that this piece completes."""
        text = self._rest + data
        whole = len(text) - len(text) % _QUANTUM
        self._rest = text[whole:]
        octets = bytearray()
        start = 0
        while start < whole:
            pad = text.find(b"=", start, whole)
            end = whole if pad < 0 else pad - pad % _QUANTUM + _QUANTUM
            octets += _decoded(text[start:end])
            start = end
        return self._reader.feed(bytes(octets))

    def end(self) -> list[bytes]:
        """Nothing; raises GRPCError where the request ends inside a message."""
        if self._rest:
            raise GRPCError(Status.INTERNAL, "Request is not base64")
        return self._reader.end()


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        raise GRPCError(Status.INTERNAL, "Request is not base64") from None
