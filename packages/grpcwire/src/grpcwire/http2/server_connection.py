"""The server's end of an HTTP/2 connection: requests in, responses out, draining.

Builds on `connection`, which takes the frames that mean the same to both ends. A
client's HEADERS are requests or the trailers that end one; the order of shutting down
is the server's (RFC 9113, section 6.8).
"""

from typing import Final

from typing_extensions import override

from grpcwire.counters import Counters
from grpcwire.http.request_head import RequestHead
from grpcwire.http2 import frames
from grpcwire.http2.connection import Connection
from grpcwire.http2.errors import (
    ConnectionFrameSizeError,
    ErrorCode,
    Http2ConnectionError,
    Http2StreamError,
    StreamRefusedError,
)
from grpcwire.http2.events import Event, RequestReceived, TrailersReceived
from grpcwire.http2.frame_reader import SELF_DEPENDENT
from grpcwire.http2.hpack_decoder import HpackDecoder
from grpcwire.http2.request import RequestHeads, check_fields
from grpcwire.http2.sender import HeaderBlock
from grpcwire.http2.streams import Input, State, Stream, step
from grpcwire.limits import Limits

__all__ = ["ServerConnection"]

_OPEN: Final = State.OPEN
_HALF_CLOSED_REMOTE: Final = State.HALF_CLOSED_REMOTE
_CLOSED: Final = State.CLOSED
_DRAIN_PING: Final = b"draining"


class ServerConnection(Connection):
    """The state of a connection that a client opened to us."""

    __slots__ = ("_heads", "_last_accepted", "occupied")

    def __init__(self, limits: Limits, counters: Counters) -> None:
        super().__init__(limits, counters, preface=frames.PREFACE)
        self._heads = RequestHeads(HpackDecoder(limits.header_list_bytes), limits)
        self._last_accepted = frames.MAX_STREAM_ID
        self.occupied = 0
        """Streams whose call is not over, also where the stream itself is."""

    # Sending.

    def send_response(
        self, stream: Stream, head: HeaderBlock, data: bytes, trailers: HeaderBlock
    ) -> bool:
        """Send a whole response at once; False, and nothing sent, where it does not fit."""
        if not self.sender.response(stream, head, data, trailers):
            return False
        self._sent_end(stream)
        return True

    def send_headers_only(self, stream: Stream, block: bytes) -> None:
        """Send a response of one header block, and end the stream."""
        self.sender.headers(stream, block, end=True)
        self.budget.earn()
        self._sent_end(stream)

    def release(self) -> None:
        """Let another stream begin: a call is over."""
        self.occupied -= 1

    def announce_drain(self) -> None:
        """Send the first GOAWAY: no new streams, please; those under way are still taken."""
        goaway = frames.goaway(frames.MAX_STREAM_ID, ErrorCode.NO_ERROR)
        self.sender.outgoing.append(goaway + frames.ping(_DRAIN_PING, ack=False))

    def drain(self) -> None:
        """Send the last GOAWAY: streams that came are served, later ones refused."""
        self._last_accepted = self.last_stream_id
        goaway = frames.goaway(self.last_stream_id, ErrorCode.NO_ERROR, b"shutting down")
        self.sender.outgoing.append(goaway)

    # Frames of the client.

    @override
    def _receive_headers(self, flags: int, stream_id: int, payload: bytes) -> Event | None:
        ended = bool(flags & frames.END_STREAM)
        stream = self.streams.get(stream_id)
        if stream is not None:
            return self._receive_trailers(stream, payload, ended=ended)
        if stream_id > self.last_stream_id and stream_id & 1:
            self.last_stream_id = stream_id
            head = self._heads.head(payload)
            if flags & SELF_DEPENDENT:
                raise Http2StreamError("stream depends on itself")
            return self._receive_request(stream_id, head, ended=ended)
        self._heads.fields(payload)
        self._late(stream_id, Input.HEADERS)
        return None

    def _receive_request(self, stream_id: int, head: RequestHead | None, *, ended: bool) -> Event:
        limit = self._limits.concurrent_streams
        busy = self.occupied >= limit or len(self.streams) >= limit
        if busy or stream_id > self._last_accepted:
            self._counters.streams_refused += 1
            raise StreamRefusedError("too many streams")
        stream = Stream(
            stream_id,
            _HALF_CLOSED_REMOTE if ended else _OPEN,
            self.sender.initial_window,
            self._limits.stream_window_bytes,
        )
        if head is None:
            self._counters.header_list_too_large += 1
        elif head.content_length >= 0:
            stream.expected = head.content_length
            stream.count_down(0, ended=ended)
        self.streams[stream_id] = stream
        self.occupied += 1
        return RequestReceived(stream, head, ended)

    def _receive_trailers(self, stream: Stream, block: bytes, *, ended: bool) -> Event:
        fields = self._heads.fields(block)
        state = step(stream.state, Input.HEADERS_END if ended else Input.HEADERS)
        check_fields(tuple(fields or ()))
        if stream.expected >= 0:
            stream.count_down(0, ended=True)
        stream.state = state
        if state is _CLOSED:
            self._forget(stream)
        return TrailersReceived(stream)

    @override
    def _receive_goaway(self, flags: int, stream_id: int, payload: bytes) -> None:
        # The client opens no more streams; those it has are served to their end.
        if stream_id:
            raise Http2ConnectionError("GOAWAY on a stream")
        if len(payload) < frames.GOAWAY_BYTES:
            raise ConnectionFrameSizeError("GOAWAY too short")
        self.budget.charge("GOAWAY frames")

    @override
    def _state_of(self, stream_id: int, event: Input) -> State:
        if stream_id > self.last_stream_id or not stream_id & 1:
            return State.IDLE
        if stream_id in self._reset_ids:
            return State.RESET
        if event is Input.HEADERS and stream_id not in self._closed_ids:
            raise Http2ConnectionError("stream identifier below one already used")
        return State.CLOSED

    @override
    def _sent_end(self, stream: Stream) -> None:
        # A request still under way is not read any more (section 8.1).
        if stream.state is _CLOSED:
            self._forget(stream)
        else:
            self.reset(stream, ErrorCode.NO_ERROR)
