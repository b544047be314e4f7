"""The server of a connection, as the connection sees it."""

from typing import Any, Protocol

from grpcwire.calls.server_context import ServerContext
from grpcwire.protocols.router import Router

__all__ = ["ConnectionRegistry"]


class ConnectionRegistry(Protocol):
    """Counts the connections of a server and holds all that they share."""

    context: ServerContext
    router: Router

    def connected(self, protocol: Any) -> bool:
        """Count a new connection; False where it must not stay."""

    def replaced(self, old: Any, new: Any) -> None:
        """Go on with the protocol that a connection turned out to speak."""

    def disconnected(self, protocol: Any) -> None:
        """Forget a connection that is gone with its handlers."""
