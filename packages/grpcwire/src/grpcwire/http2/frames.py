"""Frames as bytes: types, flags and the ones we send (RFC 9113, sections 4 and 6).

Knows the layout of each frame and nothing of connections or streams. Reading is
one `HEADER.unpack_from` a frame in `frame_reader`, which owns the buffer; here are
the constants that it compares with and the functions that build frames to send.
"""

from struct import Struct
from typing import Final

from grpcwire.http2.errors import ErrorCode

__all__ = [
    "ACK",
    "CONTINUATION",
    "DATA",
    "DEFAULT_FRAME_BYTES",
    "DEFAULT_WINDOW_BYTES",
    "END_HEADERS",
    "END_STREAM",
    "GOAWAY",
    "GOAWAY_BYTES",
    "HEADER",
    "HEADERS",
    "HEADER_BYTES",
    "MAX_FRAME_BYTES",
    "MAX_STREAM_ID",
    "MAX_WINDOW_BYTES",
    "PADDED",
    "PING",
    "PING_BYTES",
    "PREFACE",
    "PRIORITY",
    "PRIORITY_BYTES",
    "PRIORITY_FLAG",
    "PUSH_PROMISE",
    "RST_STREAM",
    "SETTINGS",
    "SETTINGS_ACK",
    "SETTINGS_ENABLE_PUSH",
    "SETTINGS_HEADER_TABLE_SIZE",
    "SETTINGS_INITIAL_WINDOW_SIZE",
    "SETTINGS_MAX_CONCURRENT_STREAMS",
    "SETTINGS_MAX_FRAME_SIZE",
    "SETTINGS_MAX_HEADER_LIST_SIZE",
    "UINT32_BYTES",
    "WINDOW_UPDATE",
    "frame",
    "goaway",
    "header",
    "parse_settings",
    "ping",
    "rst_stream",
    "settings",
    "uint31",
    "window_update",
]

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# The length is 24 bits: its upper 8 and lower 16 come apart.
HEADER: Final = Struct(">BHBBL")
HEADER_BYTES: Final = 9

DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY_FLAG: Final = 0x20

SETTINGS_HEADER_TABLE_SIZE: Final = 0x1
SETTINGS_ENABLE_PUSH: Final = 0x2
SETTINGS_MAX_CONCURRENT_STREAMS: Final = 0x3
SETTINGS_INITIAL_WINDOW_SIZE: Final = 0x4
SETTINGS_MAX_FRAME_SIZE: Final = 0x5
SETTINGS_MAX_HEADER_LIST_SIZE: Final = 0x6

DEFAULT_WINDOW_BYTES: Final = 65_535
DEFAULT_FRAME_BYTES: Final = 16_384
MAX_FRAME_BYTES: Final = 16_777_215
MAX_WINDOW_BYTES: Final = 2**31 - 1
MAX_STREAM_ID: Final = 2**31 - 1
PRIORITY_BYTES: Final = 5
PING_BYTES: Final = 8
GOAWAY_BYTES: Final = 8
UINT32_BYTES: Final = 4

_SETTING: Final = Struct(">HL")
_UINT32: Final = Struct(">L")
_GOAWAY: Final = Struct(">LL")


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    """One frame of any type."""
    return header(kind, flags, stream_id, len(payload)) + payload


def header(kind: int, flags: int, stream_id: int, size: int) -> bytes:
    """The nine bytes before a payload of `size` bytes."""
    return HEADER.pack(size >> 16, size & 0xFFFF, kind, flags, stream_id)


def settings(values: dict[int, int]) -> bytes:
    """SETTINGS with the given parameters (section 6.5)."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*item) for item in values.items()))


SETTINGS_ACK: Final = frame(SETTINGS, ACK, 0, b"")


def parse_settings(payload: bytes) -> list[tuple[int, int]]:
    """The (identifier, value) pairs of a SETTINGS payload, in their order."""
    return list(_SETTING.iter_unpack(payload))


def ping(opaque: bytes, *, ack: bool) -> bytes:
    """PING with its 8 bytes (section 6.7)."""
    return frame(PING, ACK if ack else 0, 0, opaque)


def goaway(last_stream_id: int, code: ErrorCode, debug: bytes = b"") -> bytes:
    """GOAWAY (section 6.8)."""
    return frame(GOAWAY, 0, 0, _GOAWAY.pack(last_stream_id, code) + debug)


def rst_stream(stream_id: int, code: ErrorCode) -> bytes:
    """RST_STREAM (section 6.4)."""
    return frame(RST_STREAM, 0, stream_id, _UINT32.pack(code))


def window_update(stream_id: int, increment: int) -> bytes:
    """WINDOW_UPDATE (section 6.9)."""
    return frame(WINDOW_UPDATE, 0, stream_id, _UINT32.pack(increment))


def uint31(payload: bytes, offset: int = 0) -> int:
    """Four bytes as a number, the reserved top bit ignored."""
    return int.from_bytes(payload[offset : offset + 4], "big") & 0x7FFFFFFF
