"""One HTTP/2 connection, either end of it (RFC 9113): synchronous and without I/O.

Bytes go in by `begin_turn`, events come back by `events`, bytes to write gather in
`sender`. Each turn handles a bounded number of frames; `backlogged` says that more are
waiting, and the caller decides when. A `Http2StreamError` becomes RST_STREAM and costs
the peer its budget; a `Http2ConnectionError` becomes GOAWAY, after which nothing is read.

The part that both ends share stands here: streams and windows, the frames that mean the
same to both, and our own sending. A subclass is one end: it says what HEADERS, GOAWAY
and PUSH_PROMISE mean to it, and what follows when its side of a stream is done.

One table leads from frame type to method. No clock, socket, await or logging may live
here, and nothing of gRPC. Called by the transport, and by calls that send.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

from grpcwire.counters import Counters
from grpcwire.http.budget import TINY_BYTES, Budget, BudgetExhausted
from grpcwire.http2 import frames, settings
from grpcwire.http2.errors import (
    ConnectionFlowControlError,
    ConnectionFrameSizeError,
    EnhanceYourCalmError,
    ErrorCode,
    Http2ConnectionError,
    Http2StreamError,
    StreamFlowControlError,
    StreamFrameSizeError,
)
from grpcwire.http2.events import (
    ConnectionFailed,
    DataReceived,
    Event,
    PingAcknowledged,
    StreamReset,
    StreamsUnblocked,
)
from grpcwire.http2.frame_reader import FrameReader, unpadded
from grpcwire.http2.sender import TURN_BYTES, Sender
from grpcwire.http2.streams import OVER, TRANSITIONS, Input, State, Stream, step
from grpcwire.limits import Limits

__all__ = ["Connection"]

_OPEN: Final = State.OPEN
_HALF_CLOSED_LOCAL: Final = State.HALF_CLOSED_LOCAL
_CLOSED: Final = State.CLOSED
_DATA: Final = Input.DATA
_DATA_END: Final = Input.DATA_END

_WINDOW_UPDATE_TOKENS: Final = 0.25
"""The price of a WINDOW_UPDATE, of which a well-behaved peer sends many."""
_LATE_FRAME_TOKENS: Final = 0.05
"""The price of a frame on a stream that we ended: a whole window may be under way to it."""
_PROVOKED_RESET_TOKENS: Final = 2
"""The price of a reset that the peer provokes: more than the answer before it has earned."""
_REMEMBERED_STREAMS: Final = 100
"""Ended streams told apart: late frames of a reset one are ignored, a closed one is not idle."""
_RECEIVERS: Final = (
    "_receive_data",
    "_receive_headers",
    "_receive_priority",
    "_receive_rst_stream",
    "_receive_settings",
    "_receive_push_promise",
    "_receive_ping",
    "_receive_goaway",
    "_receive_window_update",
)
"""The methods that take a frame, by its type; CONTINUATION never leaves the reader."""
_TYPES: Final = 256


class Connection(ABC):
    """The protocol state of one connection, moved by the peer's frames and by our sending."""

    __slots__ = (
        "_closed_ids",
        "_counters",
        "_limits",
        "_reader",
        "_receive_window",
        "_reset_ids",
        "budget",
        "failed",
        "last_stream_id",
        "sender",
        "streams",
    )

    _receivers: ClassVar[tuple[Callable[[Any, int, int, bytes], Event | None], ...]]

    def __init_subclass__(cls) -> None:
        """Look the methods of an end up once, for the table that every frame goes by."""
        super().__init_subclass__()
        known = [getattr(cls, name) for name in _RECEIVERS]
        cls._receivers = (*known, *[cls._receive_unknown] * (_TYPES - len(known)))

    def __init__(self, limits: Limits, counters: Counters, *, preface: bytes) -> None:
        """`preface` opens the peer's bytes: `frames.PREFACE` of a client, b"" of a server."""
        self._limits = limits
        self._counters = counters
        self._closed_ids: deque[int] = deque(maxlen=_REMEMBERED_STREAMS)
        self._reset_ids: deque[int] = deque(maxlen=_REMEMBERED_STREAMS)
        self._receive_window = limits.connection_window_bytes
        self.budget = Budget(limits.budget, counters)
        self._reader = FrameReader(limits, self.budget, counters, preface=preface)
        self.sender = Sender(self.budget, counters)
        self.sender.outgoing.append(settings.opening(limits))
        self.streams: dict[int, Stream] = {}
        self.last_stream_id = 0
        """The highest identifier of a stream that the client began."""
        self.failed = False
        """True once nothing more is read."""

    # A turn.

    @property
    def backlogged(self) -> bool:
        """True if frames wait for the next turn."""
        return self._reader.backlogged and not self.failed

    @property
    def settled(self) -> bool:
        """True once the peer's preface and SETTINGS have come."""
        return self._reader.settled

    def begin_turn(self, data: bytes) -> None:
        """Take bytes in, and allow the work of one more turn: `frames_per_turn` frames."""
        if not self.failed:
            self._reader.begin_turn(data)

    def events(self) -> Iterator[Event]:
        """Yield the events of this turn, each before the frame behind it is looked at.

        Whoever stops in their middle finds the rest in the next turn. An iterator, since a
        call for every event costs a twentieth of a small call.
        """
        if self.failed:
            return
        receivers = self._receivers
        try:
            for kind, flags, stream_id, payload in self._reader.frames():
                try:
                    event = receivers[kind](self, flags, stream_id, payload)
                except Http2StreamError as error:
                    event = self._stream_failed(stream_id, error)
                    if event is not None:
                        yield event
                    self.budget.charge("resets provoked", _PROVOKED_RESET_TOKENS)
                else:
                    if event is not None:
                        yield event
        except Http2ConnectionError as error:
            yield self._fail(error)
        except BudgetExhausted as error:
            yield self._fail(EnhanceYourCalmError(str(error)))

    # Sending.

    def send_headers(self, stream: Stream, block: bytes) -> None:
        """Send the header block that opens our side of a stream."""
        self.sender.headers(stream, block, end=False)

    def send_data(self, stream: Stream, *pieces: bytes) -> None:
        """Send DATA, as much as the windows let pass now; the rest waits in the stream."""
        self.sender.data(stream, *pieces)

    def send_trailers(self, stream: Stream, block: bytes) -> None:
        """Send the trailers once all data is out, and end our side of the stream."""
        if self.sender.trailers(stream, block):
            self._sent_end(stream)

    def reset(self, stream: Stream, code: ErrorCode) -> None:
        """End a stream with RST_STREAM; nothing happens where it is over."""
        if stream.state not in OVER:
            stream.state = step(stream.state, Input.SEND_RST_STREAM)
            self.sender.outgoing.append(frames.rst_stream(stream.id, code))
            self._reset_ids.append(stream.id)
            self._forget(stream)

    def credit(self, stream: Stream, size: int) -> None:
        """Let the peer send `size` bytes more, once that is worth a frame: data was read."""
        stream.uncredited += size
        if stream.uncredited << 1 > self._limits.stream_window_bytes:
            stream.receive_window += stream.uncredited
            if stream.state is _OPEN or stream.state is _HALF_CLOSED_LOCAL:
                self.sender.outgoing.append(frames.window_update(stream.id, stream.uncredited))
            stream.uncredited = 0

    def unblock(self) -> list[Stream]:
        """Send data that was kept back for want of room; return the streams that are free again."""
        done = self.sender.unblock()
        for stream in done:
            if stream.trailers is not None:
                self._sent_end(stream)
        return done

    def close(self, code: ErrorCode, reason: str) -> None:
        """Send GOAWAY and read nothing more."""
        self.failed = True
        self.sender.outgoing.append(frames.goaway(self.last_stream_id, code, reason.encode()))

    def abandon(self) -> None:
        """Drop every stream and the data it keeps back: nothing will be sent any more.

        Data that the peer did not read must not wait for the garbage collector.
        """
        for stream in list(self.streams.values()):
            self.sender.discard(stream)
        self.streams.clear()

    # The two ends differ.

    @abstractmethod
    def _receive_headers(self, flags: int, stream_id: int, payload: bytes) -> Event | None:
        """Take a whole header block."""

    @abstractmethod
    def _receive_goaway(self, flags: int, stream_id: int, payload: bytes) -> Event | None:
        """Take the peer's announcement that it is going away."""

    def _receive_push_promise(self, _flags: int, _stream_id: int, _payload: bytes) -> Event | None:
        """Refuse to be pushed to: a client sends none, and a server was told not to."""
        raise Http2ConnectionError("PUSH_PROMISE is not allowed here")

    @abstractmethod
    def _sent_end(self, stream: Stream) -> None:
        """Follow up on a stream whose sending side we have ended."""

    @abstractmethod
    def _state_of(self, stream_id: int, event: Input) -> State:
        """Return the state of a stream that is not there: IDLE, CLOSED or RESET."""

    # Frames on streams.

    def _receive_data(self, flags: int, stream_id: int, payload: bytes) -> Event | None:
        charged = len(payload)
        self._charge_window(charged)
        if flags & frames.PADDED:
            payload = unpadded(payload)
        ended = bool(flags & frames.END_STREAM)
        stream = self.streams.get(stream_id)
        if stream is None:
            self._late(stream_id, Input.DATA)
            return None
        if charged < TINY_BYTES and not ended:
            self.budget.charge("tiny DATA frames")
        following = TRANSITIONS[stream.state][_DATA_END if ended else _DATA]
        if not isinstance(following, State):
            raise following("DATA after END_STREAM")
        stream.receive_window -= charged
        if stream.receive_window < 0:
            raise StreamFlowControlError("data beyond the stream's window")
        if stream.expected >= 0:
            stream.count_down(len(payload), ended=ended)
        stream.state = following
        if following is _CLOSED:
            self._forget(stream)
        return DataReceived(stream, payload, charged, ended)

    def _receive_rst_stream(self, _flags: int, stream_id: int, payload: bytes) -> Event | None:
        if len(payload) != frames.UINT32_BYTES:
            raise ConnectionFrameSizeError("RST_STREAM of a wrong length")
        stream = self.streams.get(stream_id)
        if stream is None:
            self._late(stream_id, Input.RST_STREAM)
            return None
        self.budget.charge("resets")
        stream.state = step(stream.state, Input.RST_STREAM)
        self._forget(stream)
        self._counters.streams_reset_by_peer += 1
        code = int.from_bytes(payload, "big")
        known = ErrorCode(code) if code < len(ErrorCode) else ErrorCode.INTERNAL_ERROR
        return StreamReset(stream, known, by_peer=True)

    def _receive_priority(self, _flags: int, stream_id: int, payload: bytes) -> Event | None:
        if stream_id == 0:
            raise Http2ConnectionError("PRIORITY on stream 0")
        if len(payload) != frames.PRIORITY_BYTES:
            raise StreamFrameSizeError("PRIORITY of a wrong length")
        if frames.uint31(payload) == stream_id:
            raise Http2StreamError("stream depends on itself")
        self.budget.charge("PRIORITY frames")
        return None

    def _receive_window_update(self, _flags: int, stream_id: int, payload: bytes) -> Event | None:
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
                return None
            if increment == 0:
                raise Http2StreamError("WINDOW_UPDATE by nothing")
            stream.send_window += increment
            if stream.send_window > frames.MAX_WINDOW_BYTES:
                raise StreamFlowControlError("window beyond 2^31-1")
        return self._unblocked()

    # Frames on the connection.

    def _receive_settings(self, flags: int, stream_id: int, payload: bytes) -> Event | None:
        if stream_id:
            raise Http2ConnectionError("SETTINGS on a stream")
        self.budget.charge("SETTINGS frames")
        if flags & frames.ACK:
            if payload:
                raise ConnectionFrameSizeError("SETTINGS acknowledged with a payload")
            return None
        values = settings.received(payload)
        sender = self.sender
        sender.max_frame = min(
            values.get(frames.SETTINGS_MAX_FRAME_SIZE, sender.max_frame), TURN_BYTES
        )
        window = values.get(frames.SETTINGS_INITIAL_WINDOW_SIZE, sender.initial_window)
        growth = window - sender.initial_window
        sender.initial_window = window
        sender.outgoing.append(frames.SETTINGS_ACK)
        for stream in self.streams.values() if growth else ():
            stream.send_window += growth
            if stream.send_window > frames.MAX_WINDOW_BYTES:
                raise ConnectionFlowControlError("window beyond 2^31-1")
        return self._unblocked()

    def _receive_ping(self, flags: int, stream_id: int, payload: bytes) -> Event | None:
        if stream_id:
            raise Http2ConnectionError("PING on a stream")
        if len(payload) != frames.PING_BYTES:
            raise ConnectionFrameSizeError("PING of a wrong length")
        self.budget.charge("PING frames")
        if flags & frames.ACK:
            return PingAcknowledged(payload)
        self.sender.outgoing.append(frames.ping(payload, ack=True))
        return None

    def _receive_unknown(self, _flags: int, _stream_id: int, _payload: bytes) -> None:
        self.budget.charge("frames of unknown types")

    # Consequences.

    def _charge_window(self, size: int) -> None:
        """Count data against the connection's window, and credit it in large steps.

        It is credited whether or not it is read: the streams' windows and the limits of
        buffers bound what is kept, and one slow stream stops no other.
        """
        self._receive_window -= size
        if self._receive_window < 0:
            raise ConnectionFlowControlError("data beyond the connection's window")
        limit = self._limits.connection_window_bytes
        if self._receive_window << 1 < limit:
            increment = limit - self._receive_window
            self.sender.outgoing.append(frames.window_update(0, increment))
            self._receive_window = limit

    def _late(self, stream_id: int, event: Input) -> None:
        """Take a frame on a stream that is not there: idle, over, or ended by us."""
        if step(self._state_of(stream_id, event), event) is _OPEN:
            raise Http2ConnectionError("stream identifier of the wrong side")
        self.budget.charge("frames on streams that are over", _LATE_FRAME_TOKENS)

    def _unblocked(self) -> StreamsUnblocked | None:
        streams = self.unblock() if self.sender.blocked else None
        return StreamsUnblocked(streams) if streams else None

    def _forget(self, stream: Stream) -> None:
        if stream.unsent is not None:
            self.sender.discard(stream)
        self._closed_ids.append(stream.id)
        self.streams.pop(stream.id, None)

    def _stream_failed(self, stream_id: int, error: Http2StreamError) -> StreamReset | None:
        self._counters.stream_errors += 1
        stream = self.streams.get(stream_id)
        if stream is None:
            self.sender.outgoing.append(frames.rst_stream(stream_id, error.code))
            self._reset_ids.append(stream_id)
            return None
        self.reset(stream, error.code)
        return StreamReset(stream, error.code, by_peer=False)

    def _fail(self, error: Http2ConnectionError) -> ConnectionFailed:
        self._counters.connection_errors += 1
        self.close(error.code, str(error))
        return ConnectionFailed(error.code, str(error))
