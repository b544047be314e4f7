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

from grpcwire.calls.envelope import MessageReader
from grpcwire.calls.server_context import ServerContext
from grpcwire.http.budget import Budget


class RequestRecord(Protocol):
    """A connection's record of one request."""

    owner: object


class Creditor(Protocol):
    """A connection's state, as far as reading moves it."""

    budget: Budget

    def credit(self, stream: Any, size: int) -> None:
        """Let the peer send as much again."""


class BufferingTransport(Protocol):
    """The connection's transport, which sums up what its requests hold."""

    context: ServerContext
    buffered_bytes: int

    @property
    def connection(self) -> Creditor:
        """The connection's state."""


class RequestBody:
    """One request's unread messages."""

    __slots__ = ("_buffered", "_held", "_messages", "_reader", "_record", "_transport", "_unread")

    def __init__(
        self, transport: BufferingTransport, record: RequestRecord, reader: MessageReader
    ) -> None:
        self._transport = transport
        self._record = record
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
            self._transport.connection.budget.earn()
        if self._messages:
            self._held += charged
        else:
            self._transport.connection.credit(self._record, charged)
        self._account()

    def end(self) -> None:
        """Take the end of the request; raises GRPCError."""
        self._keep(self._reader.end())
        self._account()

    def pop(self) -> bytes:
        """The next message, which is read from now on."""
        message = self._messages.popleft()
        if not self._messages and self._held:
            self._transport.connection.credit(self._record, self._held)
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
        transport, context = self._transport, self._transport.context
        if growth > 0 and (
            transport.buffered_bytes > context.limits.connection_buffer_bytes
            or context.counters.buffered_bytes > context.limits.process_buffer_bytes
        ):
            context.counters.buffer_exhausted += 1
            raise GRPCError(Status.RESOURCE_EXHAUSTED, "Too much unread data")

    def _count(self, growth: int) -> None:
        self._buffered += growth
        self._transport.buffered_bytes += growth
        self._transport.context.counters.buffered_bytes += growth
