"""The server of a connection, as the connection sees it."""

from abc import abstractmethod
from typing import Protocol

from grpcwire.calls.server_context import ServerContext
from grpcwire.protocols.router import Router

__all__ = ["ConnectionRegistry", "RegisteredConnection"]


class RegisteredConnection(Protocol):
    """A connection, as its server sees it."""

    @abstractmethod
    def drain(self) -> None:
        """Take no new requests, finish those under way, then close."""

    @abstractmethod
    def shut_down(self) -> None:
        """End now."""


class ConnectionRegistry(Protocol):
    """Counts the connections of a server and holds all that they share."""

    context: ServerContext
    router: Router

    @abstractmethod
    def connected(self, connection: RegisteredConnection) -> bool:
        """Count a new connection; False where it must not stay."""

    @abstractmethod
    def replaced(self, old: RegisteredConnection, new: RegisteredConnection) -> None:
        """Go on with the protocol that a connection turned out to speak."""

    @abstractmethod
    def disconnected(self, connection: RegisteredConnection) -> None:
        """Forget a connection that is gone with its handlers."""
