"""A connection as its calls see it, and the server as its connections do."""

from typing import Any, Protocol

from grpcwire.engine import Engine
from grpcwire.peer import Peer
from grpcwire.request_body import Creditor
from grpcwire.stream_owner import StreamOwner


class Host(Protocol):
    """The transport of the connection that carries a call."""

    engine: Engine
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


class Listener(Protocol):
    """The server of a connection."""

    engine: Engine

    def connected(self, protocol: Any) -> bool:
        """Whether a new connection may stay."""

    def disconnected(self, protocol: Any) -> None:
        """A connection is gone, its handlers ended."""
