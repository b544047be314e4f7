"""Streams: their states as a table, and the record kept of each (RFC 9113, 5.1).

`TRANSITIONS[state][input]` is the next state, or the class of the fault. That
table is the whole truth about which frame is legal when; no other module tests
for a state to decide legality. The server never pushes, so the reserved states
do not occur. RESET is a closed stream that we ended before the peer did: what it
had under way still arrives and is ignored (section 5.4.2).
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
    """What can happen to a stream; `_END` carries END_STREAM."""

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

_LEGALITY: Final[dict[State, tuple[Next, ...]]] = {
    State.IDLE: (
        State.OPEN,
        State.HALF_CLOSED_REMOTE,
        Http2ConnectionError,
        Http2ConnectionError,
        Http2ConnectionError,
        Http2ConnectionError,
        IllegalSendError,
        IllegalSendError,
        IllegalSendError,
        IllegalSendError,
    ),
    State.OPEN: (
        Http2StreamError,  # trailers end the stream (section 8.1)
        State.HALF_CLOSED_REMOTE,
        State.OPEN,
        State.HALF_CLOSED_REMOTE,
        State.CLOSED,
        State.OPEN,
        State.OPEN,
        State.OPEN,
        State.HALF_CLOSED_LOCAL,
        State.RESET,
    ),
    State.HALF_CLOSED_REMOTE: (
        StreamClosedError,
        StreamClosedError,
        StreamClosedError,
        StreamClosedError,
        State.CLOSED,
        State.HALF_CLOSED_REMOTE,
        State.HALF_CLOSED_REMOTE,
        State.HALF_CLOSED_REMOTE,
        State.CLOSED,
        State.RESET,
    ),
    State.HALF_CLOSED_LOCAL: (
        Http2StreamError,
        State.CLOSED,
        State.HALF_CLOSED_LOCAL,
        State.CLOSED,
        State.CLOSED,
        State.HALF_CLOSED_LOCAL,
        IllegalSendError,
        IllegalSendError,
        IllegalSendError,
        State.RESET,
    ),
    State.CLOSED: (
        ConnectionStreamClosedError,
        ConnectionStreamClosedError,
        StreamClosedError,
        StreamClosedError,
        State.CLOSED,
        State.CLOSED,
        IllegalSendError,
        IllegalSendError,
        IllegalSendError,
        IllegalSendError,
    ),
    State.RESET: (
        State.RESET,
        State.RESET,
        State.RESET,
        State.RESET,
        State.RESET,
        State.RESET,
        IllegalSendError,
        IllegalSendError,
        IllegalSendError,
        IllegalSendError,
    ),
}

TRANSITIONS: Final[tuple[tuple[Next, ...], ...]] = tuple(_LEGALITY[state] for state in State)


def step(state: State, event: Input) -> State:
    """The state after `event`; raises the fault where the table holds one."""
    following = TRANSITIONS[state][event]
    if isinstance(following, State):
        return following
    message = f"{event.name} in state {state.name}"
    raise following(message)


class Stream:
    """What the connection remembers of one stream.

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
