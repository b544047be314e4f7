"""The messages of one request, between their coming and their being read.

Holds what has come of a body: whole messages that wait for the handler, and the
beginning of the next. Counts all of it against the limits of memory, and credits
the stream's window so that a message under way always fits while messages that
nobody reads stop the client. A failure is a `GRPCError`: what the call ends with.
"""

from collections import deque
from typing import Any, Protocol

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from grpcwire.engine import Engine
from grpcwire.envelope import MessageReader
from grpcwire.http2.budget import Budget


class Wire(Protocol):
    """A connection's record of one request."""

    owner: object


class Creditor(Protocol):
    """A connection's state, as far as reading moves it."""

    budget: Budget

    def credit(self, stream: Any, size: int) -> None:
        """Let the peer send as much again."""


class BufferHolder(Protocol):
    """The connection's transport, which sums up what its requests hold."""

    engine: Engine
    buffered_bytes: int

    @property
    def connection(self) -> Creditor:
        """The connection's state."""


class RequestBody:
    """One request's unread messages."""

    __slots__ = ("_buffered", "_held", "_holder", "_messages", "_reader", "_unread", "_wire")

    def __init__(self, holder: BufferHolder, wire: Wire, reader: MessageReader) -> None:
        self._holder = holder
        self._wire = wire
        self._reader = reader
        self._messages: deque[bytes] = deque()
        self._unread = 0  # octets of whole messages
        self._held = 0  # octets of window that unread messages keep
        self._buffered = 0  # octets counted against the limits

    def __len__(self) -> int:
        """How many whole messages wait."""
        return len(self._messages)

    def feed(self, data: bytes, charged: int) -> None:
        """Take a piece that took `charged` octets of the window; raises GRPCError."""
        messages = self._reader.feed(data)
        self._keep(messages)
        if messages:  # one frame's worth, however many empty messages it holds
            self._holder.connection.budget.earn()
        if self._messages:
            self._held += charged
        else:
            self._holder.connection.credit(self._wire, charged)
        self._account()

    def end(self) -> None:
        """Take the end of the request; raises GRPCError."""
        self._keep(self._reader.end())
        self._account()

    def pop(self) -> bytes:
        """The next message, which is read from now on."""
        message = self._messages.popleft()
        if not self._messages and self._held:
            self._holder.connection.credit(self._wire, self._held)
            self._held = 0
        self._unread -= len(message)
        self._account()
        return message

    def drop(self) -> None:
        """Give all of it up."""
        self._messages.clear()
        self._count(-self._buffered)

    def _keep(self, messages: list[bytes]) -> None:
        self._messages += messages
        self._unread += sum(map(len, messages))

    def _account(self) -> None:
        """Hold what is kept against the limits of memory."""
        growth = self._unread + self._reader.pending_bytes - self._buffered
        self._count(growth)
        holder, engine = self._holder, self._holder.engine
        if growth > 0 and (
            holder.buffered_bytes > engine.limits.connection_buffer_bytes
            or engine.counters.buffered_bytes > engine.limits.process_buffer_bytes
        ):
            engine.counters.buffer_exhausted += 1
            raise GRPCError(Status.RESOURCE_EXHAUSTED, "Too much unread data")

    def _count(self, growth: int) -> None:
        self._buffered += growth
        self._holder.buffered_bytes += growth
        self._holder.engine.counters.buffered_bytes += growth
