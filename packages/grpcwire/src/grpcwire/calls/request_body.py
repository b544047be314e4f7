"""The messages of one request, between their coming and their being read.

Holds a body as far as it has come: whole messages that wait for the handler, and the
beginning of the next. Counts all of it against the limits of memory, and credits
the stream's window so that a message under way always fits while messages that
nobody reads stop the client. A failure is a `GRPCError` that ends the call.
"""

from abc import abstractmethod
from collections import deque
from typing import Any, Protocol

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from grpcwire.calls.envelope import MessageReader
from grpcwire.calls.server_context import ServerContext
from grpcwire.http.budget import Budget

__all__ = ["BufferingTransport", "Creditor", "RequestBody", "RequestRecord"]


class RequestRecord(Protocol):
    """A connection's record of one request."""

    owner: Any
    """The call that takes the request's events, or None; set and cleared by the call."""


class Creditor(Protocol):
    """The part of a connection's state that reading changes."""

    budget: Budget

    @abstractmethod
    def credit(self, stream: Any, size: int) -> None:
        """Let the peer send `size` more bytes of a request; `stream` is its record."""


class BufferingTransport(Protocol):
    """A connection's transport, which sums up the memory that its requests take."""

    context: ServerContext
    buffered_bytes: int
    """The sum of what the connection's requests keep in memory."""

    @property
    @abstractmethod
    def connection(self) -> Creditor:
        """The state of the connection's protocol."""


class RequestBody:
    """One request's unread messages."""

    __slots__ = (
        "_buffered_bytes",
        "_messages",
        "_reader",
        "_record",
        "_transport",
        "_unread_bytes",
        "_window_bytes",
    )

    def __init__(
        self, transport: BufferingTransport, record: RequestRecord, reader: MessageReader
    ) -> None:
        self._transport = transport
        self._record = record
        self._reader = reader
        self._messages: deque[bytes] = deque()
        self._unread_bytes = 0  # of whole messages
        self._window_bytes = 0  # of the window, not credited while messages are unread
        self._buffered_bytes = 0  # counted against the limits

    def __len__(self) -> int:
        """The number of whole messages that wait."""
        return len(self._messages)

    def feed(self, data: bytes, window_bytes: int) -> None:
        """Take a piece that took `window_bytes` of the window; raises GRPCError."""
        messages = self._reader.feed(data)
        self._keep(messages)
        if messages:  # one frame's worth, however many empty messages it holds
            self._transport.connection.budget.earn()
        if self._messages:
            self._window_bytes += window_bytes
        else:
            self._transport.connection.credit(self._record, window_bytes)
        self._account()

    def end(self) -> None:
        """Take the end of the request; raises GRPCError."""
        self._keep(self._reader.end())
        self._account()

    def pop(self) -> bytes:
        """Take the next message out: it counts as read from now on."""
        message = self._messages.popleft()
        if not self._messages and self._window_bytes:
            self._transport.connection.credit(self._record, self._window_bytes)
            self._window_bytes = 0
        self._unread_bytes -= len(message)
        self._account()
        return message

    def drop(self) -> None:
        """Drop all messages: nobody will read them."""
        self._messages.clear()
        self._count(-self._buffered_bytes)

    def _keep(self, messages: list[bytes]) -> None:
        self._messages += messages
        self._unread_bytes += sum(map(len, messages))

    def _account(self) -> None:
        """Compare the memory that is kept with its limits; raises GRPCError."""
        growth = self._unread_bytes + self._reader.pending_bytes - self._buffered_bytes
        self._count(growth)
        transport, context = self._transport, self._transport.context
        if growth > 0 and (
            transport.buffered_bytes > context.limits.connection_buffer_bytes
            or context.counters.buffered_bytes > context.limits.process_buffer_bytes
        ):
            context.counters.buffer_exhausted += 1
            raise GRPCError(Status.RESOURCE_EXHAUSTED, "Too much unread data")

    def _count(self, growth: int) -> None:
        self._buffered_bytes += growth
        self._transport.buffered_bytes += growth
        self._transport.context.counters.buffered_bytes += growth
