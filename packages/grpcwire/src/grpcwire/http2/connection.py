"""The HTTP/2 server side of one connection (RFC 9113), synchronous and without I/O.

Octets go in by `receive`, events come back as its value, octets to write gather
in `sender`; what our side may do stands in `connection_state`. Each call of
`receive` handles a bounded number of frames; `backlogged` says that more are
waiting, and the caller decides when. A `Http2StreamError` becomes
RST_STREAM and costs the peer its budget; a `Http2ConnectionError` becomes GOAWAY,
after which nothing is read.

One table leads from frame type to method. No clock, socket, await or logging may
live here, and nothing of gRPC. Called by `grpcwire.transport.http2_protocol` only.
"""

from collections.abc import Callable
from typing import ClassVar, Final

from grpcwire.counters import Counters
from grpcwire.http.budget import TINY_BYTES, BudgetExhausted
from grpcwire.http.request_head import RequestHead
from grpcwire.http2 import frames, settings
from grpcwire.http2.connection_state import ConnectionState
from grpcwire.http2.errors import (
    ConnectionFlowControlError,
    ConnectionFrameSizeError,
    EnhanceYourCalmError,
    ErrorCode,
    Http2ConnectionError,
    Http2StreamError,
    StreamFlowControlError,
    StreamFrameSizeError,
    StreamRefusedError,
)
from grpcwire.http2.events import (
    ConnectionFailed,
    DataReceived,
    Event,
    PingAcknowledged,
    RequestReceived,
    StreamReset,
    StreamUnblocked,
    TrailersReceived,
)
from grpcwire.http2.frame_reader import SELF_DEPENDENT, FrameReader, unpadded
from grpcwire.http2.hpack_decoder import HpackDecoder
from grpcwire.http2.request import RequestHeads, check_fields
from grpcwire.http2.sender import TURN_BYTES
from grpcwire.http2.streams import TRANSITIONS, Input, State, Stream, step
from grpcwire.limits import Limits

_OPEN: Final = State.OPEN
_HALF_CLOSED_REMOTE: Final = State.HALF_CLOSED_REMOTE
_CLOSED: Final = State.CLOSED
_DATA: Final = Input.DATA
_DATA_END: Final = Input.DATA_END

# A well-behaved peer sends many of them.
_WINDOW_UPDATE_TOKENS: Final = 0.25
_KNOWN_TYPES: Final = 10


class Connection(ConnectionState):
    """One connection's protocol state, moved by the peer's frames."""

    __slots__ = ("_events", "_heads", "_reader")

    def __init__(self, limits: Limits, counters: Counters) -> None:
        super().__init__(limits, counters)
        self._events: list[Event] = []
        self._heads = RequestHeads(HpackDecoder(limits.header_list_bytes), limits)
        self._reader = FrameReader(limits, self.budget, counters)

    @property
    def backlogged(self) -> bool:
        """Whether whole frames or events wait for the next `receive`."""
        return bool(self._events) or (self._reader.backlogged and not self.failed)

    @property
    def settled(self) -> bool:
        """Whether the peer's preface and SETTINGS have come."""
        return self._reader.settled

    def receive(self, data: bytes) -> list[Event]:
        """Handle what came, up to `frames_per_turn` frames; b"" goes on with the rest."""
        events = self._events  # begins with what was put back
        if self.failed:
            self._events = []
            return events
        if data:
            self._reader.feed(data)
        try:
            for kind, flags, stream_id, payload in self._reader.frames():
                try:
                    if kind < _KNOWN_TYPES:
                        self._receivers[kind](self, flags, stream_id, payload)
                    else:
                        self.budget.charge("frames of unknown types")
                except Http2StreamError as error:
                    self._stream_failed(stream_id, error)
        except Http2ConnectionError as error:
            self._fail(error)
        except BudgetExhausted as error:
            self._fail(EnhanceYourCalmError(str(error)))
        if events:
            self._events = []
        return events

    def put_back(self, events: list[Event]) -> None:
        """Keep what is too much for this turn: the next `receive` begins with it."""
        self._events = events

    def refuse_put_back(self) -> None:
        """Refuse the requests that were put back: none of them has begun."""
        for event in self._events:
            if isinstance(event, RequestReceived):
                self.reset(event.stream, ErrorCode.REFUSED_STREAM)

    # ---- frames on streams

    def _receive_data(self, flags: int, stream_id: int, payload: bytes) -> None:
        charged = len(payload)
        self._charge_window(charged)
        if flags & frames.PADDED:
            payload = unpadded(payload)
        ended = bool(flags & frames.END_STREAM)
        stream = self.streams.get(stream_id)
        if stream is None:
            self._late(stream_id, Input.DATA)
            return
        if charged < TINY_BYTES and not ended:
            self.budget.charge("tiny DATA frames")
        following = TRANSITIONS[stream.state][_DATA_END if ended else _DATA]
        if not isinstance(following, State):
            raise following("DATA after END_STREAM")
        stream.receive_window -= charged
        if stream.receive_window < 0:
            raise StreamFlowControlError("data beyond the stream's window")
        if stream.expected >= 0:
            _count_down(stream, len(payload), ended=ended)
        stream.state = following
        if following is _CLOSED:
            self._forget(stream)
        self._events.append(DataReceived(stream, payload, charged, ended))

    def _receive_headers(self, flags: int, stream_id: int, block: bytes) -> None:
        ended = bool(flags & frames.END_STREAM)
        stream = self.streams.get(stream_id)
        if stream is not None:
            self._receive_trailers(stream, block, ended=ended)
        elif stream_id > self.last_stream_id and stream_id & 1:
            self.last_stream_id = stream_id
            head = self._heads.head(block)
            if flags & SELF_DEPENDENT:
                raise Http2StreamError("stream depends on itself")
            self._receive_request(stream_id, head, ended=ended)
        else:
            self._heads.fields(block)
            self._late(stream_id, Input.HEADERS)

    def _receive_request(self, stream_id: int, head: RequestHead | None, *, ended: bool) -> None:
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
            _count_down(stream, 0, ended=ended)
        self.streams[stream_id] = stream
        self.occupied += 1
        self._events.append(RequestReceived(stream, head, ended))

    def _receive_trailers(self, stream: Stream, block: bytes, *, ended: bool) -> None:
        fields = self._heads.fields(block)
        state = step(stream.state, Input.HEADERS_END if ended else Input.HEADERS)
        check_fields(tuple(fields or ()))
        if stream.expected >= 0:
            _count_down(stream, 0, ended=True)
        stream.state = state
        if state is _CLOSED:
            self._forget(stream)
        self._events.append(TrailersReceived(stream))

    def _receive_rst_stream(self, _flags: int, stream_id: int, payload: bytes) -> None:
        if len(payload) != frames.UINT32_BYTES:
            raise ConnectionFrameSizeError("RST_STREAM of a wrong length")
        stream = self.streams.get(stream_id)
        if stream is None:
            self._late(stream_id, Input.RST_STREAM)
            return
        stream.state = step(stream.state, Input.RST_STREAM)
        self._forget(stream)
        self._counters.streams_reset_by_peer += 1
        code = int.from_bytes(payload, "big")
        known = ErrorCode(code) if code < len(ErrorCode) else ErrorCode.INTERNAL_ERROR
        self._events.append(StreamReset(stream, known, by_peer=True))
        self.budget.charge("resets")

    def _receive_priority(self, _flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id == 0:
            raise Http2ConnectionError("PRIORITY on stream 0")
        if len(payload) != frames.PRIORITY_BYTES:
            raise StreamFrameSizeError("PRIORITY of a wrong length")
        if frames.uint31(payload) == stream_id:
            raise Http2StreamError("stream depends on itself")
        self.budget.charge("PRIORITY frames")

    def _receive_window_update(self, _flags: int, stream_id: int, payload: bytes) -> None:
        if len(payload) != frames.UINT32_BYTES:
            raise ConnectionFrameSizeError("WINDOW_UPDATE of a wrong length")
        self.budget.charge("WINDOW_UPDATE frames", _WINDOW_UPDATE_TOKENS)
        increment = frames.uint31(payload)
        if stream_id == 0:
            if increment == 0:
                raise Http2ConnectionError("WINDOW_UPDATE by nothing")
            self.sender.window += increment
            if self.sender.window > frames.MAX_WINDOW_BYTES:
                raise ConnectionFlowControlError("window beyond 2^31-1")
        else:
            stream = self.streams.get(stream_id)
            if stream is None:
                self._late(stream_id, Input.WINDOW_UPDATE)
                return
            if increment == 0:
                raise Http2StreamError("WINDOW_UPDATE by nothing")
            stream.send_window += increment
            if stream.send_window > frames.MAX_WINDOW_BYTES:
                raise StreamFlowControlError("window beyond 2^31-1")
        self._report_unblocked()

    # ---- frames on the connection

    def _receive_settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            raise Http2ConnectionError("SETTINGS on a stream")
        self.budget.charge("SETTINGS frames")
        if flags & frames.ACK:
            if payload:
                raise ConnectionFrameSizeError("SETTINGS acknowledged with a payload")
            return
        values = settings.received(payload)
        sender = self.sender
        max_frame = values.get(frames.SETTINGS_MAX_FRAME_SIZE, sender.max_frame)
        sender.max_frame = min(max_frame, TURN_BYTES)
        window = values.get(frames.SETTINGS_INITIAL_WINDOW_SIZE, sender.initial_window)
        growth = window - sender.initial_window
        sender.initial_window = window
        sender.outgoing.append(frames.SETTINGS_ACK)
        if growth:
            for stream in self.streams.values():
                stream.send_window += growth
                if stream.send_window > frames.MAX_WINDOW_BYTES:
                    raise ConnectionFlowControlError("window beyond 2^31-1")
            self._report_unblocked()

    def _receive_ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            raise Http2ConnectionError("PING on a stream")
        if len(payload) != frames.PING_BYTES:
            raise ConnectionFrameSizeError("PING of a wrong length")
        self.budget.charge("PING frames")
        if flags & frames.ACK:
            self._events.append(PingAcknowledged(payload))
        else:
            self.sender.outgoing.append(frames.ping(payload, ack=True))

    def _receive_goaway(self, _flags: int, stream_id: int, payload: bytes) -> None:
        """The peer opens no more streams; those it has are served to their end."""
        if stream_id:
            raise Http2ConnectionError("GOAWAY on a stream")
        if len(payload) < frames.PING_BYTES:
            raise ConnectionFrameSizeError("GOAWAY too short")
        self.budget.charge("GOAWAY frames")

    def _receive_forbidden(self, _flags: int, _stream_id: int, _payload: bytes) -> None:
        raise Http2ConnectionError("a client sends no such frame")

    # By frame type. CONTINUATION never leaves the reader.
    _receivers: ClassVar[tuple[Callable[["Connection", int, int, bytes], None], ...]] = (
        _receive_data,
        _receive_headers,
        _receive_priority,
        _receive_rst_stream,
        _receive_settings,
        _receive_forbidden,  # PUSH_PROMISE
        _receive_ping,
        _receive_goaway,
        _receive_window_update,
        _receive_forbidden,
    )

    def _report_unblocked(self) -> None:
        self._events += [StreamUnblocked(stream) for stream in self.unblock()]

    def _stream_failed(self, stream_id: int, error: Http2StreamError) -> None:
        self._counters.stream_errors += 1
        stream = self.streams.get(stream_id)
        if stream is not None:
            self.reset(stream, error.code)
            self._events.append(StreamReset(stream, error.code, by_peer=False))
        else:
            self.sender.outgoing.append(frames.rst_stream(stream_id, error.code))
            self._reset_ids.append(stream_id)
        self.budget.charge("resets provoked")

    def _fail(self, error: Http2ConnectionError) -> None:
        self._counters.connection_errors += 1
        self.close(error.code, str(error))
        self._events.append(ConnectionFailed(error.code, str(error)))


def _count_down(stream: Stream, size: int, *, ended: bool) -> None:
    """Hold the body against its content-length (section 8.1.1)."""
    stream.expected -= size
    if stream.expected < 0 or (ended and stream.expected):
        raise Http2StreamError("body and content-length differ")
