"""SETTINGS: ours, and the values that the peer's may have (RFC 9113, section 6.5)."""

from typing import Final

from grpcwire.http2 import frames
from grpcwire.http2.errors import (
    ConnectionFlowControlError,
    ConnectionFrameSizeError,
    Http2ConnectionError,
)
from grpcwire.limits import Limits

__all__ = ["opening", "received"]

_SETTING_BYTES: Final = 6
_RANGES: Final[dict[int, tuple[int, int, type[Http2ConnectionError], str]]] = {
    frames.SETTINGS_ENABLE_PUSH: (0, 1, Http2ConnectionError, "ENABLE_PUSH is 0 or 1"),
    frames.SETTINGS_INITIAL_WINDOW_SIZE: (
        0,
        frames.MAX_WINDOW_BYTES,
        ConnectionFlowControlError,
        "initial window beyond 2^31-1",
    ),
    frames.SETTINGS_MAX_FRAME_SIZE: (
        frames.DEFAULT_FRAME_BYTES,
        frames.MAX_FRAME_BYTES,
        Http2ConnectionError,
        "MAX_FRAME_SIZE out of range",
    ),
}
"""The range of each parameter, and the error beyond it."""


def opening(limits: Limits) -> bytes:
    """Our first bytes: SETTINGS, and the connection's window raised to its limit."""
    values = {
        frames.SETTINGS_MAX_CONCURRENT_STREAMS: limits.concurrent_streams,
        frames.SETTINGS_MAX_HEADER_LIST_SIZE: limits.header_list_bytes,
    }
    if limits.stream_window_bytes != frames.DEFAULT_WINDOW_BYTES:
        values[frames.SETTINGS_INITIAL_WINDOW_SIZE] = limits.stream_window_bytes
    first = frames.settings(values)
    increment = limits.connection_window_bytes - frames.DEFAULT_WINDOW_BYTES
    return first + (frames.window_update(0, increment) if increment > 0 else b"")


def received(payload: bytes) -> dict[int, int]:
    """The checked parameters of a SETTINGS frame, the last of each counting.

    The values in between two of the same parameter would change nothing but the
    work; they are checked all the same. Unknown parameters are kept and mean nothing.
    """
    if len(payload) % _SETTING_BYTES:
        raise ConnectionFrameSizeError("SETTINGS of an odd length")
    values = frames.parse_settings(payload)
    for parameter, value in values:
        if parameter in _RANGES:
            least, most, error, text = _RANGES[parameter]
            if not least <= value <= most:
                raise error(text)
    return dict(values)
