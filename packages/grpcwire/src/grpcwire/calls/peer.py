"""The other side of a connection: its address and its certificate."""

import asyncio
from typing import Any


class Peer:
    """Who called; the same two questions that grpclib's Peer answers."""

    __slots__ = ("_address", "_transport")

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        # Asked for at once: a closed transport forgets it.
        self._address = transport.get_extra_info("peername")

    def addr(self) -> Any:
        """The remote address, as the socket module shapes it."""
        return self._address

    def cert(self) -> dict[str, Any] | None:
        """The client's certificate as `ssl.SSLSocket.getpeercert` gives it, if it sent one."""
        ssl_object = self._transport.get_extra_info("ssl_object")
        return None if ssl_object is None else ssl_object.getpeercert() or None
