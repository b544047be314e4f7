"""SETTINGS: what we tell the peer, and what the peer may tell us (RFC 9113, 6.5)."""

from grpcwire.http2 import frames
from grpcwire.http2.errors import (
    ConnectionFault,
    ConnectionFlowControlFault,
    ConnectionFrameSizeFault,
)
from grpcwire.limits import Limits

_SETTING_BYTES = 6


def opening(limits: Limits) -> bytes:
    """Our first octets: SETTINGS, and the connection's window raised to its limit."""
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
    work. Unknown parameters are left out.
    """
    if len(payload) % _SETTING_BYTES:
        raise ConnectionFrameSizeFault("SETTINGS of an odd length")
    values = dict(frames.parse_settings(payload))
    if values.get(frames.SETTINGS_ENABLE_PUSH, 0) > 1:
        raise ConnectionFault("ENABLE_PUSH is 0 or 1")
    if values.get(frames.SETTINGS_INITIAL_WINDOW_SIZE, 0) > frames.MAX_WINDOW_BYTES:
        raise ConnectionFlowControlFault("initial window beyond 2^31-1")
    size = values.get(frames.SETTINGS_MAX_FRAME_SIZE, frames.DEFAULT_FRAME_BYTES)
    if not frames.DEFAULT_FRAME_BYTES <= size <= frames.MAX_FRAME_BYTES:
        raise ConnectionFault("MAX_FRAME_SIZE out of range")
    return values
