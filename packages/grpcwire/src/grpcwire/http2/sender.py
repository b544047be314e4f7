"""The way out of a connection: one list of bytes, two windows, the data they keep back.

Everything that leaves goes through `outgoing`, which the transport takes once per
turn of its loop and writes as one piece. DATA obeys the peer's two windows and
its frame size (RFC 9113, section 5.2), and `room`, which bounds the output
of one turn; data that does not pass waits in its stream (`Stream.unsent`), with the
trailers behind it, and leaves by `unblock` in rounds of one frame a stream.
Decides no legality beyond asking the stream's table; never closes a stream
record: `Connection` does, told by return values.
"""

from collections import deque
from typing import Final

from grpcwire.counters import Counters
from grpcwire.http.budget import TINY_BYTES, Budget
from grpcwire.http2 import frames
from grpcwire.http2.frames import DATA, END_HEADERS, END_STREAM, HEADERS
from grpcwire.http2.streams import Input, Stream, step

__all__ = ["TURN_BYTES", "HeaderBlock", "Sender"]

TURN_BYTES: Final = 256 * 1024
"""The output that one turn may gather before the transport takes it.

Several times a socket buffer's worth, so that throughput never waits for it. No frame is
longer either, whatever the peer allows: a turn ends between two frames.
"""
_FRAME_COST: Final = 512
"""The bytes that a frame counts beyond its data.

So a handler that streams small messages without ever waiting gives way to others after
some hundred.
"""
_CONTINUATION: Final = frames.CONTINUATION


class HeaderBlock:
    """A header block with its frame header built beforehand, to be sent often.

    `opening` and `closing` are the five bytes before the stream identifier,
    without and with END_STREAM.
    """

    __slots__ = ("block", "closing", "opening")

    def __init__(self, block: bytes) -> None:
        """`block` must fit in the least frame size a peer can set."""
        if len(block) > frames.DEFAULT_FRAME_BYTES:
            raise ValueError("a prebuilt header block must fit in one frame")
        self.block = block
        self.opening = frames.frame(HEADERS, END_HEADERS, 0, block)[:5]
        self.closing = frames.frame(HEADERS, END_HEADERS | END_STREAM, 0, block)[:5]


class Sender:
    """The sending half of one connection."""

    __slots__ = (
        "_blocked",
        "_budget",
        "_counters",
        "initial_window",
        "max_frame",
        "outgoing",
        "paused",
        "room",
        "sent_bytes",
        "window",
    )

    def __init__(self, budget: Budget, counters: Counters) -> None:
        self._budget = budget
        self._counters = counters
        self._blocked: dict[int, Stream] = {}
        self.outgoing: list[bytes | memoryview] = []
        self.paused = False
        self.sent_bytes = 0  # of data that had been kept back
        self.room = TURN_BYTES
        self.window = frames.DEFAULT_WINDOW_BYTES
        self.initial_window = frames.DEFAULT_WINDOW_BYTES
        self.max_frame = frames.DEFAULT_FRAME_BYTES

    @property
    def blocked(self) -> bool:
        """True while a stream holds data back."""
        return bool(self._blocked)

    def take(self) -> bytes:
        """Everything that is to be written now, as one piece."""
        data = b"".join(self.outgoing)
        self.outgoing.clear()
        self.room = 0 if self.paused else TURN_BYTES
        return data

    def pause(self, *, paused: bool) -> None:
        """Keep all data back while the transport takes no more; or let it go again."""
        self.paused = paused
        self.room = 0 if paused else TURN_BYTES

    def response(
        self, stream: Stream, head: HeaderBlock, data: bytes, trailers: HeaderBlock
    ) -> bool:
        """Headers, one DATA frame and trailers at once; False, and nothing sent, if not possible.

        Equal to `headers`, `data` and `trailers` in turn: proven by
        `test_sender.py::test_response_equals_its_three_parts`.
        """
        size = len(data)
        if (
            size > self.max_frame
            or size > stream.send_window
            or size > self.window
            or self.room <= 0
            or stream.unsent is not None
        ):
            return False
        stream.state = step(stream.state, Input.SEND_END)
        stream.send_window -= size
        self.window -= size
        self.room -= size + _FRAME_COST
        self._budget.earn()
        stream_id = stream.id.to_bytes(4, "big")
        self.outgoing += (
            head.opening,
            stream_id,
            head.block,
            size.to_bytes(3, "big"),
            b"\0\0",
            stream_id,
            data,
            trailers.closing,
            stream_id,
            trailers.block,
        )
        return True

    def headers(self, stream: Stream, block: bytes, *, end: bool) -> None:
        """HEADERS, split into CONTINUATION where longer than the peer's frames.

        An end without any trailers is an empty DATA frame.
        """
        stream.state = step(stream.state, Input.SEND_END if end else Input.SEND_HEADERS)
        if not block:
            self.outgoing.append(frames.frame(DATA, END_STREAM, stream.id, b""))
        kind, flags, limit = HEADERS, END_STREAM if end else 0, self.max_frame
        for start in range(0, len(block), limit):
            if start + limit >= len(block):
                flags |= END_HEADERS
            piece = block[start : start + limit]
            self.outgoing.append(frames.frame(kind, flags, stream.id, piece))
            kind, flags = _CONTINUATION, 0

    def data(self, stream: Stream, *pieces: bytes) -> None:
        """DATA, as much as the windows let pass now; the rest waits in the stream."""
        stream.state = step(stream.state, Input.SEND_DATA)
        if stream.unsent is None:
            stream.unsent = deque()
            self._blocked[stream.id] = stream
        stream.unsent += map(memoryview, pieces)
        self._counters.unsent_bytes += sum(map(len, pieces))
        while self._send_piece(stream):
            pass
        if not stream.unsent:
            self._unblocked(stream)

    def trailers(self, stream: Stream, block: bytes) -> bool:
        """The last HEADERS; False where they wait behind data that is kept back."""
        if stream.unsent is not None:
            stream.trailers = block
            return False
        self.headers(stream, block, end=True)
        return True

    def unblock(self) -> list[Stream]:
        """Send data that may go now; return the streams that hold nothing back any more."""
        done: list[Stream] = []
        progress = True
        while progress and self._blocked and self.window > 0 and self.room > 0:
            progress = False
            for stream in list(self._blocked.values()):
                progress |= self._send_piece(stream)
                if not stream.unsent:
                    self._unblocked(stream)
                    if stream.trailers is not None:
                        self.headers(stream, stream.trailers, end=True)
                    done.append(stream)
        return done

    def discard(self, stream: Stream) -> None:
        """Drop the data that the stream holds back: it is over."""
        if stream.unsent is not None:
            self._counters.unsent_bytes -= sum(map(len, stream.unsent))
            self._unblocked(stream)

    def _unblocked(self, stream: Stream) -> None:
        stream.unsent = None
        self._blocked.pop(stream.id, None)

    def _send_piece(self, stream: Stream) -> bool:
        """Send one DATA frame of the data held back; True if anything left."""
        if not stream.unsent or self.room <= 0:
            return False
        data = stream.unsent[0]
        size = min(len(data), self.max_frame, stream.send_window, self.window)
        if size <= 0 < len(data):
            return False
        if size == len(data):
            stream.unsent.popleft()
            self._budget.earn()
        else:
            stream.unsent[0] = data[size:]
            data = data[:size]
            if size >= TINY_BYTES:
                self._budget.earn()
        self.sent_bytes += size
        self._counters.unsent_bytes -= size
        stream.send_window -= size
        self.window -= size
        self.room -= size + _FRAME_COST
        self.outgoing += (frames.header(DATA, 0, stream.id, size), data)
        return True
