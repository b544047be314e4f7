"""The transport of a connection, as its calls see it.

Implemented by both protocols of `grpcwire.transport`; a call knows no more of its
connection than this. `protocols` narrows it where a protocol needs HTTP/2.
"""

from abc import abstractmethod
from typing import Protocol

from grpcwire.calls.peer import Peer
from grpcwire.calls.request_body import Creditor
from grpcwire.calls.server_context import ServerContext
from grpcwire.calls.stream_owner import StreamOwner

__all__ = ["ServerTransport"]


class ServerTransport(Protocol):
    """The transport of the connection that carries a call."""

    context: ServerContext
    peer: Peer
    buffered_bytes: int
    """The sum of what the connection's requests keep in memory."""

    @property
    @abstractmethod
    def connection(self) -> Creditor:
        """The state of the connection's protocol; credits what the peer may send."""

    @abstractmethod
    def flush_soon(self) -> None:
        """Write what has gathered, in this turn of the loop or the next."""

    @abstractmethod
    def call_started(self, call: StreamOwner) -> None:
        """Count a call whose handler has started; `call_ended` will follow."""

    @abstractmethod
    def call_ended(self, call: StreamOwner) -> None:
        """Forget a call that is over, handler and all."""
