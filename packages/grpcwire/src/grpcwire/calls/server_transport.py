"""The transport of a connection, as its calls see it."""

from typing import Protocol

from grpcwire.calls.peer import Peer
from grpcwire.calls.request_body import Creditor
from grpcwire.calls.server_context import ServerContext
from grpcwire.calls.stream_owner import StreamOwner


class ServerTransport(Protocol):
    """The transport of the connection that carries a call."""

    context: ServerContext
    peer: Peer
    buffered_bytes: int

    @property
    def connection(self) -> Creditor:
        """The protocol's state: what it lets the peer send."""

    def flush_soon(self) -> None:
        """Write what has gathered, in this turn of the loop or the next."""

    def call_started(self, call: StreamOwner) -> None:
        """A handler waits for something; `call_ended` will follow."""

    def call_ended(self, call: StreamOwner) -> None:
        """A call is over, handler and all."""
