"""The events that a connection reports to the layer above, as values (never as calls).

An event is about a stream where it has one; `Stream.owner` leads the reader to
the call that it carries.
"""

from dataclasses import dataclass

from grpcwire.http.request_head import RequestHead
from grpcwire.http2.errors import ErrorCode
from grpcwire.http2.streams import Stream

__all__ = [
    "ConnectionFailed",
    "DataReceived",
    "Event",
    "PingAcknowledged",
    "RequestReceived",
    "StreamReset",
    "StreamsUnblocked",
    "TrailersReceived",
]


@dataclass(slots=True)
class RequestReceived:
    """A new stream with its checked head; `head` is None where it was too long."""

    stream: Stream
    head: RequestHead | None
    ended: bool


@dataclass(slots=True)
class DataReceived:
    """A piece of a request's body.

    `charged` is the size it took from the windows (padding counts): whoever reads the
    data credits it back by `Connection.credit`.
    """

    stream: Stream
    data: bytes
    charged: int
    ended: bool


@dataclass(slots=True)
class TrailersReceived:
    """A request ended by trailers, which no protocol of ours reads."""

    stream: Stream


@dataclass(slots=True)
class StreamReset:
    """A stream is over before its time; by the peer's RST_STREAM or its error."""

    stream: Stream
    code: ErrorCode
    by_peer: bool


@dataclass(slots=True)
class StreamsUnblocked:
    """All data that flow control kept back of these streams has gone out."""

    streams: list[Stream]


@dataclass(slots=True)
class PingAcknowledged:
    """The peer answered a PING of ours."""

    opaque: bytes


@dataclass(slots=True)
class ConnectionFailed:
    """The peer broke the connection; GOAWAY is in the output, nothing more is read."""

    code: ErrorCode
    reason: str


Event = (
    RequestReceived
    | DataReceived
    | TrailersReceived
    | StreamReset
    | StreamsUnblocked
    | PingAcknowledged
    | ConnectionFailed
)
