"""Messages with their length before them, as gRPC and Connect streams carry them.

An envelope is a byte of flags, four bytes of length and the message. `EnvelopeReader`
takes the pieces of a body and gives whole messages. It refuses a message that is too
large by the length alone, before any of it is kept, and again while inflating.
Failures are `GRPCError`s: they concern one call, whose client is told their status.
"""

import gzip
import zlib
from abc import abstractmethod
from struct import Struct
from typing import Final, Protocol

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from typing_extensions import override

from grpcwire.counters import Counters

__all__ = [
    "COMPRESSED",
    "PREFIX",
    "PREFIX_BYTES",
    "TOO_LARGE",
    "WORTH_COMPRESSING_BYTES",
    "WORTH_SPARING_BYTES",
    "EnvelopeReader",
    "MessageReader",
    "inflate",
    "pack",
    "pieces",
    "seal",
]

PREFIX: Final = Struct(">BL")
"""The flags and the length before a message."""
PREFIX_BYTES: Final = 5
COMPRESSED: Final = 1
"""The flag of a message that is gzipped."""
WORTH_COMPRESSING_BYTES: Final = 512
"""Below this gzip's own header and the time are not worth it."""
WORTH_SPARING_BYTES: Final = 16 * 1024
"""From here on a copy costs more than the frame that it saves."""
TOO_LARGE: Final = "Message is larger than the limit"
"""The message of the status for a request beyond `Limits.message_bytes`."""
_GZIP_WINDOW: Final = 31
"""zlib's number for "gzip header and trailer"."""
_GZIP_LEVEL: Final = 1
"""The fastest level still halves typical messages."""


def seal(message: bytes, *, compress: bool = False) -> bytes:
    """The envelope of a message, gzipped if asked for and worth it."""
    if compress and len(message) >= WORTH_COMPRESSING_BYTES:
        packed = pack(message)
        return PREFIX.pack(COMPRESSED, len(packed)) + packed
    return PREFIX.pack(0, len(message)) + message


def pieces(message: bytes, *, compress: bool = False) -> tuple[bytes, ...]:
    """The envelope as pieces to send in turn; a large message is not copied."""
    if compress:
        return (seal(message, compress=True),)
    prefix = PREFIX.pack(0, len(message))
    return (prefix + message,) if len(message) < WORTH_SPARING_BYTES else (prefix, message)


def pack(message: bytes) -> bytes:
    """A message, gzipped."""
    return gzip.compress(message, _GZIP_LEVEL, mtime=0)


def inflate(packed: bytes, limit: int, counters: Counters) -> bytes:
    """A gzipped message of at most `limit` bytes; raises GRPCError."""
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        message = inflater.decompress(packed, limit + 1)
    except zlib.error:
        raise GRPCError(Status.INTERNAL, "Message cannot be decompressed") from None
    counters.inflated_bytes += len(message)
    if len(message) > limit:
        counters.message_too_large += 1
        raise GRPCError(Status.RESOURCE_EXHAUSTED, TOO_LARGE)
    if not inflater.eof or inflater.unused_data:
        raise GRPCError(Status.INTERNAL, "Message cannot be decompressed")
    return message


class MessageReader(Protocol):
    """Finds messages in the body of a request; each method raises GRPCError."""

    __slots__ = ()

    @property
    @abstractmethod
    def pending_bytes(self) -> int:
        """The size of the message that is not complete, as far as it is kept."""

    @abstractmethod
    def feed(self, data: bytes) -> list[bytes]:
        """The messages that this piece completes."""

    @abstractmethod
    def end(self) -> list[bytes]:
        """The messages that the request's end completes."""


class EnvelopeReader(MessageReader):
    """The reader of a body of envelopes; keeps the one that is not complete."""

    __slots__ = ("_buffer", "_counters", "_gzip", "_limit")

    def __init__(self, limit: int, counters: Counters, *, gzipped: bool) -> None:
        """`limit` bounds a message in bytes; `gzipped` allows the flag of compression."""
        self._buffer = bytearray()
        self._limit = limit
        self._counters = counters
        self._gzip = gzipped

    @property
    @override
    def pending_bytes(self) -> int:
        return len(self._buffer)

    @override
    def feed(self, data: bytes) -> list[bytes]:
        buffer = self._buffer
        buffer += data
        messages: list[bytes] = []
        start = 0
        while len(buffer) - start >= PREFIX_BYTES:
            flags, size = PREFIX.unpack_from(buffer, start)
            self._check(flags, size)
            end = start + PREFIX_BYTES + size
            if end > len(buffer):
                break
            message = bytes(memoryview(buffer)[start + PREFIX_BYTES : end])
            if flags:
                message = inflate(message, self._limit, self._counters)
            messages.append(message)
            start = end
        del buffer[:start]
        return messages

    @override
    def end(self) -> list[bytes]:
        if self._buffer:
            raise GRPCError(Status.INTERNAL, "Request ends inside a message")
        return []

    def _check(self, flags: int, size: int) -> None:
        if flags > COMPRESSED:
            raise GRPCError(Status.INTERNAL, "Unknown message flags")
        if flags and not self._gzip:
            raise GRPCError(Status.INTERNAL, "Compressed message without grpc-encoding")
        if size > self._limit:
            self._counters.message_too_large += 1
            raise GRPCError(Status.RESOURCE_EXHAUSTED, TOO_LARGE)
