"""What is kept of one HTTP/2 connection, and what our side may do to it.

The streams, the receiving windows, the budget, the sender and the order of
shutting down (RFC 9113, section 6.8). What the peer's frames do to it stands in
`connection`, which builds on this. Synchronous and without I/O like all of it.
"""

from collections import deque
from typing import Final

from grpcwire.counters import Counters
from grpcwire.http.budget import Budget
from grpcwire.http2 import frames, settings
from grpcwire.http2.errors import ConnectionFlowControlError, ErrorCode, Http2ConnectionError
from grpcwire.http2.sender import HeaderBlock, Sender
from grpcwire.http2.streams import OVER, Input, State, Stream, step
from grpcwire.limits import Limits

_OPEN: Final = State.OPEN
_CLOSED: Final = State.CLOSED
# A whole window of tiny messages may be under way to a stream that we have ended.
_LATE_FRAME_TOKENS: Final = 0.05
# Streams whose end is remembered: in-flight frames of a reset one are ignored,
# and a closed one is told from one that was never opened.
_REMEMBERED_STREAMS: Final = 100
_DRAIN_PING: Final = b"draining"


class ConnectionState:
    """Streams, windows, budget and sender of one connection."""

    __slots__ = (
        "_closed_ids",
        "_counters",
        "_last_accepted",
        "_limits",
        "_receive_window",
        "_reset_ids",
        "budget",
        "failed",
        "last_stream_id",
        "occupied",
        "sender",
        "streams",
    )

    def __init__(self, limits: Limits, counters: Counters) -> None:
        self._limits = limits
        self._counters = counters
        self._closed_ids: deque[int] = deque(maxlen=_REMEMBERED_STREAMS)
        self._reset_ids: deque[int] = deque(maxlen=_REMEMBERED_STREAMS)
        self._receive_window = limits.connection_window_bytes
        self._last_accepted = frames.MAX_STREAM_ID
        self.budget = Budget(limits.budget, counters)
        self.sender = Sender(self.budget, counters)
        self.sender.outgoing.append(settings.opening(limits))
        self.streams: dict[int, Stream] = {}
        # Streams whose call is not over, also where the stream itself is.
        self.occupied = 0
        self.last_stream_id = 0
        self.failed = False

    # ---- what the layer above asks for

    def answer(self, stream: Stream, head: HeaderBlock, data: bytes, end: HeaderBlock) -> bool:
        """Send a whole response at once; False, and nothing sent, if not possible."""
        if not self.sender.answer(stream, head, data, end):
            return False
        self._sent_end(stream)
        return True

    def send_trailers(self, stream: Stream, block: bytes) -> None:
        """Send the trailers once all data is out, and end the stream."""
        if self.sender.trailers(stream, block):
            self._sent_end(stream)

    def send_headers_only(self, stream: Stream, block: bytes) -> None:
        """Send a response of one header block, and end the stream."""
        self.sender.headers(stream, block, end=True)
        self.budget.earn()
        self._sent_end(stream)

    def credit(self, stream: Stream, size: int) -> None:
        """Data was read: let the peer send as much again, once it is worth a frame."""
        stream.uncredited += size
        if stream.uncredited << 1 > self._limits.stream_window_bytes:
            stream.receive_window += stream.uncredited
            if stream.state is _OPEN or stream.state is State.HALF_CLOSED_LOCAL:
                self.sender.outgoing.append(frames.window_update(stream.id, stream.uncredited))
            stream.uncredited = 0

    def reset(self, stream: Stream, code: ErrorCode) -> None:
        """End a stream with RST_STREAM; nothing happens where it is over."""
        if stream.state not in OVER:
            stream.state = step(stream.state, Input.SEND_RST_STREAM)
            self.sender.outgoing.append(frames.rst_stream(stream.id, code))
            self._reset_ids.append(stream.id)
            self._forget(stream)

    def abandon(self) -> None:
        """Drop every stream and what it keeps back: nothing will be sent any more.

        What the peer did not read must not wait for the garbage collector.
        """
        for stream in list(self.streams.values()):
            self.sender.discard(stream)
        self.streams.clear()

    def release(self) -> None:
        """A call is over: its stream no longer counts against the limit."""
        self.occupied -= 1

    def unblock(self) -> list[Stream]:
        """Send what was kept back for want of room; the streams that are free again."""
        done = self.sender.unblock()
        for stream in done:
            if stream.trailers is not None:
                self._sent_end(stream)
        return done

    def announce_drain(self) -> None:
        """First GOAWAY: no new streams, please; those under way are still taken."""
        goaway = frames.goaway(frames.MAX_STREAM_ID, ErrorCode.NO_ERROR)
        self.sender.outgoing.append(goaway + frames.ping(_DRAIN_PING, ack=False))

    def drain(self) -> None:
        """Last GOAWAY: what came is served, anything later refused (section 6.8)."""
        self._last_accepted = self.last_stream_id
        goaway = frames.goaway(self.last_stream_id, ErrorCode.NO_ERROR, b"shutting down")
        self.sender.outgoing.append(goaway)

    def close(self, code: ErrorCode, reason: str) -> None:
        """Say why and read nothing more."""
        self.failed = True
        self.sender.outgoing.append(frames.goaway(self.last_stream_id, code, reason.encode()))

    # ---- what follows

    def _charge_window(self, size: int) -> None:
        """Count data against the connection's window, and credit it in large steps.

        It is credited whether or not it is read: the streams' windows and the
        buffer limits bound what is kept, and one slow stream stops no other.
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
        """A frame on a stream that is not there: idle, over, or ended by us."""
        if stream_id > self.last_stream_id or not stream_id & 1:
            state = State.IDLE
        elif stream_id in self._reset_ids:
            state = State.RESET
        elif event is Input.HEADERS and stream_id not in self._closed_ids:
            raise Http2ConnectionError("stream identifier below one already used")
        else:
            state = State.CLOSED
        if step(state, event) is State.OPEN:
            raise Http2ConnectionError("stream identifier of the wrong side")
        self.budget.charge("frames on streams that are over", _LATE_FRAME_TOKENS)

    def _sent_end(self, stream: Stream) -> None:
        """Our side is done; a request still under way is not read any more (8.1)."""
        if stream.state is _CLOSED:
            self._forget(stream)
        else:
            self.reset(stream, ErrorCode.NO_ERROR)

    def _forget(self, stream: Stream) -> None:
        if stream.unsent is not None:
            self.sender.discard(stream)
        self._closed_ids.append(stream.id)
        self.streams.pop(stream.id, None)
