"""The errors of the wire: whose they are, and which code says so.

Two families, never mixed (RFC 9113, section 5.4): a `Http2ConnectionError` ends the
connection with GOAWAY, a `Http2StreamError` ends one stream with RST_STREAM and
leaves the others alone. The wire code stands on the class, so that whoever
raises names the error and not a number. Both are the peer's. An error of ours
(sending where the stream's state forbids it) is `IllegalSendError`.

    Http2Error
        Http2ConnectionError
            ConnectionFlowControlError, ConnectionFrameSizeError,
            ConnectionStreamClosedError, CompressionError, EnhanceYourCalmError
        Http2StreamError
            StreamFlowControlError, StreamFrameSizeError, StreamClosedError,
            StreamRefusedError
    IllegalSendError
"""

from enum import IntEnum
from typing import ClassVar

__all__ = [
    "CompressionError",
    "ConnectionFlowControlError",
    "ConnectionFrameSizeError",
    "ConnectionStreamClosedError",
    "EnhanceYourCalmError",
    "ErrorCode",
    "Http2ConnectionError",
    "Http2Error",
    "Http2StreamError",
    "IllegalSendError",
    "StreamClosedError",
    "StreamFlowControlError",
    "StreamFrameSizeError",
    "StreamRefusedError",
]


class ErrorCode(IntEnum):
    """The codes of RST_STREAM and GOAWAY (RFC 9113, section 7)."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


class Http2Error(Exception):
    """The peer broke the protocol; `code` tells it how."""

    code: ClassVar[ErrorCode] = ErrorCode.PROTOCOL_ERROR


class Http2ConnectionError(Http2Error):
    """The connection cannot go on (RFC 9113, section 5.4.1)."""


class ConnectionFlowControlError(Http2ConnectionError):
    """More data than the connection's window, or a window beyond 2^31-1."""

    code = ErrorCode.FLOW_CONTROL_ERROR


class ConnectionFrameSizeError(Http2ConnectionError):
    """A frame too long, or of a length its type forbids."""

    code = ErrorCode.FRAME_SIZE_ERROR


class ConnectionStreamClosedError(Http2ConnectionError):
    """A frame on a stream that both sides had closed."""

    code = ErrorCode.STREAM_CLOSED


class CompressionError(Http2ConnectionError):
    """A header block that cannot be decoded: the tables have parted for good."""

    code = ErrorCode.COMPRESSION_ERROR


class EnhanceYourCalmError(Http2ConnectionError):
    """More work asked for than the peer's budget holds."""

    code = ErrorCode.ENHANCE_YOUR_CALM


class Http2StreamError(Http2Error):
    """One stream cannot go on (RFC 9113, section 5.4.2)."""


class StreamFlowControlError(Http2StreamError):
    """More data than the stream's window, or a window beyond 2^31-1."""

    code = ErrorCode.FLOW_CONTROL_ERROR


class StreamFrameSizeError(Http2StreamError):
    """A frame that touches one stream only, of a length its type forbids."""

    code = ErrorCode.FRAME_SIZE_ERROR


class StreamClosedError(Http2StreamError):
    """A frame on a stream whose sender had closed it."""

    code = ErrorCode.STREAM_CLOSED


class StreamRefusedError(Http2StreamError):
    """A request that was not looked at: trying it again is safe."""

    code = ErrorCode.REFUSED_STREAM


class IllegalSendError(Exception):
    """Our side tried to send what the stream's state no longer allows."""
