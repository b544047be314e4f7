"""Bytes to frames: the preface, the frame headers, header blocks put together.

Owns the bytes that came in and are not yet handled. `frames` yields whole frames, a
bounded number a turn, so that no peer holds the loop; `backlogged` tells that more
wait. The position moves before a frame is yielded, so that whoever raises over a
frame leaves the reader behind it. A header block that comes in pieces leaves as one
HEADERS frame: nobody above sees CONTINUATION, padding of HEADERS or priority fields.
The order of the first frames (preface, SETTINGS) and of a block's frames is checked
here; which frame is legal on which stream is not.
"""

from collections.abc import Iterator
from typing import Final

from grpcwire.counters import Counters
from grpcwire.http.budget import Budget
from grpcwire.http2 import frames
from grpcwire.http2.errors import (
    ConnectionFrameSizeError,
    EnhanceYourCalmError,
    Http2ConnectionError,
)
from grpcwire.http2.frames import CONTINUATION, DEFAULT_FRAME_BYTES, HEADER_BYTES, HEADERS, SETTINGS
from grpcwire.limits import Limits

__all__ = ["SELF_DEPENDENT", "Frame", "FrameReader", "unpadded"]

Frame = tuple[int, int, int, bytes]
"""Type, flags, stream identifier, payload."""

SELF_DEPENDENT: Final = 0x100
"""A flag of ours beyond the byte of flags: the HEADERS' priority names its own stream."""

_unpack_header: Final = frames.HEADER.unpack_from
_BLOCK_TYPES: Final = (HEADERS, CONTINUATION)
_STREAM_ID_MASK: Final = 0x7FFFFFFF
_BLOCK_COST_SHIFT: Final = 7
"""128 bytes of a header block count as one more frame, since each may be a whole field."""


class FrameReader:
    """The receiving end of one connection's bytes."""

    __slots__ = (
        "_block",
        "_block_flags",
        "_block_stream",
        "_budget",
        "_buffer",
        "_counters",
        "_limits",
        "_position",
        "_preface",
        "backlogged",
        "settled",
    )

    def __init__(
        self, limits: Limits, budget: Budget, counters: Counters, *, preface: bytes
    ) -> None:
        """`preface` opens the peer's bytes: `frames.PREFACE` of a client, b"" of a server."""
        self._limits = limits
        self._budget = budget
        self._counters = counters
        self._buffer = b""
        self._position = 0
        self._preface = preface
        self._block: bytearray | None = None
        self._block_flags = 0
        self._block_stream = 0
        self.backlogged = False
        """True if the turn ended before the bytes did."""
        self.settled = False
        """True once the preface and the first SETTINGS are there."""

    def begin_turn(self, data: bytes) -> None:
        """Take bytes in; `frames` may then return `frames_per_turn` frames more."""
        rest = self._buffer[self._position :] if self._position else self._buffer
        self._buffer = rest + data if rest else data
        self._position = 0

    def frames(self) -> Iterator[Frame]:
        """Yield the whole frames of this turn; raises Http2ConnectionError for other bytes.

        Whoever stops in their middle finds the rest in the next turn.
        """
        if self._preface and not self._read_preface():
            return
        buffer, end = self._buffer, self._position
        available = len(buffer)
        left = self._limits.frames_per_turn
        self.backlogged = True  # should the caller stop within
        while left > 0 and end + HEADER_BYTES <= available:
            start = end + HEADER_BYTES
            high, low, kind, flags, stream_id = _unpack_header(buffer, end)
            size = high << 16 | low
            if size > DEFAULT_FRAME_BYTES:
                raise ConnectionFrameSizeError("frame longer than the setting")
            if start + size > available:
                break
            self._position = end = start + size
            left -= 1
            stream_id &= _STREAM_ID_MASK
            if kind in _BLOCK_TYPES or self._block is not None:
                left -= size >> _BLOCK_COST_SHIFT
                frame = self._read_block(kind, flags, stream_id, buffer[start:end])
                if frame is not None:
                    yield frame
            else:
                if not self.settled:
                    self._check_first(kind, flags)
                yield kind, flags, stream_id, buffer[start:end]
        self.backlogged = left <= 0 and end < available
        if end == available:
            self._buffer, self._position = b"", 0

    def _read_preface(self) -> bool:
        """Take as much of the preface as there is; True once it is complete."""
        received = self._buffer[: len(self._preface)]
        if not self._preface.startswith(received):
            raise Http2ConnectionError("no HTTP/2 preface")
        self._position = len(received)
        self._preface = self._preface[len(received) :]
        return not self._preface

    def _check_first(self, kind: int, flags: int) -> None:
        if kind != SETTINGS or flags & frames.ACK:
            raise Http2ConnectionError("the first frame must be SETTINGS")
        self.settled = True

    def _read_block(self, kind: int, flags: int, stream_id: int, payload: bytes) -> Frame | None:
        """Return HEADERS once its block is whole; None while it is not."""
        if self._block is not None:
            if kind != CONTINUATION or stream_id != self._block_stream:
                raise Http2ConnectionError("a header block was interrupted")
            return self._continue_block(self._block, flags, payload)
        if kind == CONTINUATION:
            raise Http2ConnectionError("CONTINUATION without HEADERS")
        if not self.settled:
            self._check_first(kind, flags)
        if stream_id == 0:
            raise Http2ConnectionError("HEADERS on stream 0")
        if flags & (frames.PADDED | frames.PRIORITY_FLAG):
            payload, flags = _bare_block(flags, stream_id, payload)
        if flags & frames.END_HEADERS:
            return kind, flags, stream_id, payload
        self._block = bytearray(payload)
        self._block_flags = flags
        self._block_stream = stream_id
        return None

    def _continue_block(self, block: bytearray, flags: int, payload: bytes) -> Frame | None:
        self._budget.charge("CONTINUATION frames")
        block += payload
        if len(block) > self._limits.header_block_bytes:
            self._counters.header_list_too_large += 1
            raise EnhanceYourCalmError("header block too long")
        if not flags & frames.END_HEADERS:
            return None
        self._block = None
        return HEADERS, self._block_flags, self._block_stream, bytes(block)


def unpadded(payload: bytes) -> bytes:
    """Return a payload without its padding (RFC 9113, section 6.1)."""
    if not payload:
        raise ConnectionFrameSizeError("a padded frame without pad length")
    padding = payload[0]
    if padding >= len(payload):
        raise Http2ConnectionError("padding longer than its frame")
    return payload[1 : len(payload) - padding]


def _bare_block(flags: int, stream_id: int, payload: bytes) -> tuple[bytes, int]:
    """Return the header block fragment of HEADERS without padding and priority."""
    if flags & frames.PADDED:
        payload = unpadded(payload)
    if flags & frames.PRIORITY_FLAG:
        if len(payload) < frames.PRIORITY_BYTES:
            raise ConnectionFrameSizeError("HEADERS too short for its priority")
        if frames.uint31(payload) == stream_id:
            flags |= SELF_DEPENDENT
        payload = payload[frames.PRIORITY_BYTES :]
    return payload, flags
