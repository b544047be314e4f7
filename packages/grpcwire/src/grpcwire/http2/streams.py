"""Streams: their states as a table, and the record kept of each (RFC 9113, 5.1).

The table gives the next state, or the class of the error, for each state and input.
It is the whole truth about which frame is legal when; no other module tests for a
state to decide legality. It is the server's view: the server never pushes, so the
reserved states do not occur. RESET is a closed stream that we ended before the peer
did: frames that the peer had under way still arrive and are ignored (section 5.4.2).
"""

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from grpcwire.http2.errors import (
    ConnectionStreamClosedError,
    Http2ConnectionError,
    Http2StreamError,
    IllegalSendError,
    StreamClosedError,
)

__all__ = ["OVER", "TRANSITIONS", "Input", "State", "Stream", "step"]

if TYPE_CHECKING:
    from collections import deque


class State(IntEnum):
    """The states of a stream as the server sees it."""

    IDLE = 0
    OPEN = 1
    HALF_CLOSED_REMOTE = 2
    HALF_CLOSED_LOCAL = 3
    CLOSED = 4
    RESET = 5


OVER: Final = (State.CLOSED, State.RESET)


class Input(IntEnum):
    """The events of a stream; `_END` carries END_STREAM."""

    HEADERS = 0
    HEADERS_END = 1
    DATA = 2
    DATA_END = 3
    RST_STREAM = 4
    WINDOW_UPDATE = 5
    SEND_HEADERS = 6
    SEND_DATA = 7
    SEND_END = 8
    SEND_RST_STREAM = 9


Next = State | type[Http2ConnectionError | Http2StreamError | IllegalSendError]

_LEGALITY: Final[dict[State, dict[Input, Next]]] = {
    State.IDLE: {
        Input.HEADERS: State.OPEN,
        Input.HEADERS_END: State.HALF_CLOSED_REMOTE,
        Input.DATA: Http2ConnectionError,
        Input.DATA_END: Http2ConnectionError,
        Input.RST_STREAM: Http2ConnectionError,
        Input.WINDOW_UPDATE: Http2ConnectionError,
        Input.SEND_HEADERS: IllegalSendError,
        Input.SEND_DATA: IllegalSendError,
        Input.SEND_END: IllegalSendError,
        Input.SEND_RST_STREAM: IllegalSendError,
    },
    State.OPEN: {
        Input.HEADERS: Http2StreamError,  # trailers end the stream (section 8.1)
        Input.HEADERS_END: State.HALF_CLOSED_REMOTE,
        Input.DATA: State.OPEN,
        Input.DATA_END: State.HALF_CLOSED_REMOTE,
        Input.RST_STREAM: State.CLOSED,
        Input.WINDOW_UPDATE: State.OPEN,
        Input.SEND_HEADERS: State.OPEN,
        Input.SEND_DATA: State.OPEN,
        Input.SEND_END: State.HALF_CLOSED_LOCAL,
        Input.SEND_RST_STREAM: State.RESET,
    },
    State.HALF_CLOSED_REMOTE: {
        Input.HEADERS: StreamClosedError,
        Input.HEADERS_END: StreamClosedError,
        Input.DATA: StreamClosedError,
        Input.DATA_END: StreamClosedError,
        Input.RST_STREAM: State.CLOSED,
        Input.WINDOW_UPDATE: State.HALF_CLOSED_REMOTE,
        Input.SEND_HEADERS: State.HALF_CLOSED_REMOTE,
        Input.SEND_DATA: State.HALF_CLOSED_REMOTE,
        Input.SEND_END: State.CLOSED,
        Input.SEND_RST_STREAM: State.RESET,
    },
    State.HALF_CLOSED_LOCAL: {
        Input.HEADERS: Http2StreamError,
        Input.HEADERS_END: State.CLOSED,
        Input.DATA: State.HALF_CLOSED_LOCAL,
        Input.DATA_END: State.CLOSED,
        Input.RST_STREAM: State.CLOSED,
        Input.WINDOW_UPDATE: State.HALF_CLOSED_LOCAL,
        Input.SEND_HEADERS: IllegalSendError,
        Input.SEND_DATA: IllegalSendError,
        Input.SEND_END: IllegalSendError,
        Input.SEND_RST_STREAM: State.RESET,
    },
    State.CLOSED: {
        Input.HEADERS: ConnectionStreamClosedError,
        Input.HEADERS_END: ConnectionStreamClosedError,
        Input.DATA: StreamClosedError,
        Input.DATA_END: StreamClosedError,
        Input.RST_STREAM: State.CLOSED,
        Input.WINDOW_UPDATE: State.CLOSED,
        Input.SEND_HEADERS: IllegalSendError,
        Input.SEND_DATA: IllegalSendError,
        Input.SEND_END: IllegalSendError,
        Input.SEND_RST_STREAM: IllegalSendError,
    },
    State.RESET: {
        Input.HEADERS: State.RESET,
        Input.HEADERS_END: State.RESET,
        Input.DATA: State.RESET,
        Input.DATA_END: State.RESET,
        Input.RST_STREAM: State.RESET,
        Input.WINDOW_UPDATE: State.RESET,
        Input.SEND_HEADERS: IllegalSendError,
        Input.SEND_DATA: IllegalSendError,
        Input.SEND_END: IllegalSendError,
        Input.SEND_RST_STREAM: IllegalSendError,
    },
}

TRANSITIONS: Final[tuple[tuple[Next, ...], ...]] = tuple(
    tuple(_LEGALITY[state][event] for event in Input) for state in State
)
"""The same by position, `TRANSITIONS[state][event]`, for the look-up of every frame."""


def step(state: State, event: Input) -> State:
    """Return the state after `event`; raises the error where the table holds one."""
    following = TRANSITIONS[state][event]
    if isinstance(following, State):
        return following
    message = f"{event.name} in state {state.name}"
    raise following(message)


class Stream:
    """The record that a connection keeps of one stream.

    `owner` belongs to the layer above: the call that the stream carries, or None.
    `expected` counts down from the request's content-length; -1 without one.
    `unsent` holds data that flow control keeps back, `trailers` the header
    block that follows it.
    """

    __slots__ = (
        "expected",
        "id",
        "owner",
        "receive_window",
        "send_window",
        "state",
        "trailers",
        "uncredited",
        "unsent",
    )

    def __init__(self, stream_id: int, state: State, send_window: int, receive_window: int) -> None:
        self.id = stream_id
        self.state = state
        self.send_window = send_window
        self.receive_window = receive_window
        self.uncredited = 0
        self.expected = -1
        self.unsent: deque[memoryview] | None = None
        self.trailers: bytes | None = None
        self.owner: Any = None

    def count_down(self, size: int, *, ended: bool) -> None:
        """Hold the body against its content-length (section 8.1.1); raises Http2StreamError."""
        self.expected -= size
        if self.expected < 0 or (ended and self.expected):
            raise Http2StreamError("body and content-length differ")
