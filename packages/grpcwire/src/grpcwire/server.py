"""The server: handlers behind listening sockets, with grpclib's Server interface.

Owns the sockets and the set of connections; knows nothing of their traffic.
Whoever uses grpclib's Server can change the import: `start`, `close`,
`wait_closed`, `async with`, `grpclib.utils.graceful_exit` and
`grpclib.events.listen` work alike. `drain` is the gentle end that grpclib lacks.
"""

import asyncio
import socket
import ssl as tls
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Protocol, Self

from grpclib.const import Handler
from grpclib.encoding.base import CodecBase, StatusDetailsCodecBase
from grpclib.encoding.proto import ProtoCodec, ProtoStatusDetailsCodec

from grpcwire.calls.events import Dispatch
from grpcwire.calls.server_context import ServerContext
from grpcwire.counters import Counters
from grpcwire.limits import Limits
from grpcwire.protocols.cors import Cors
from grpcwire.protocols.router import Router
from grpcwire.transport.detection import ProtocolDetector
from grpcwire.transport.registry import RegisteredConnection

__all__ = ["BACKLOG", "Servable", "Server"]

BACKLOG: Final = 4096
"""The kernel's queue of connects; asyncio's 100 delays a crowd of them by a second."""


class Servable(Protocol):
    """Anything that grpclib can serve."""

    def __mapping__(self) -> Mapping[str, Handler]: ...


class Server:
    """Serves grpclib handlers: gRPC, gRPC-Web and Connect on one port."""

    def __init__(
        self,
        handlers: Collection[Servable],
        *,
        codec: CodecBase | None = None,
        codecs: Collection[CodecBase] = (),
        status_details_codec: StatusDetailsCodecBase | None = None,
        limits: Limits | None = None,
        counters: Counters | None = None,
        idempotent: Collection[str] = (),
        cors: Cors | None = None,
    ) -> None:
        """Default codecs as grpclib's: protobuf, with google.rpc.Status for details.

        `codecs` are served beside `codec`, each by its content subtype: `JsonCodec`
        gives JSON to all protocols. `idempotent` holds the paths of methods without
        side effects, which Connect may call by GET. `cors` lets browsers call from
        other origins. `counters` lets several servers of a process add to the same numbers.
        """
        mapping: dict[str, Handler] = {}
        for handler in handlers:
            mapping.update(handler.__mapping__())
        if codec is None:
            codec = ProtoCodec()
            status_details_codec = status_details_codec or ProtoStatusDetailsCodec()
        by_subtype = {each.__content_subtype__: each for each in (codec, *codecs)}
        self.router = Router(mapping, by_subtype, frozenset(idempotent), cors)
        self._status_details_codec = status_details_codec
        self.limits = limits or Limits()
        self.counters = counters or Counters()
        self._servers: list[asyncio.Server] = []
        self._connections: set[RegisteredConnection] = set()
        self._closed: asyncio.Event | None = None
        self._closing = False
        self.__dispatch__ = Dispatch()

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The sockets that the server listens on."""
        return tuple(sock for server in self._servers for sock in server.sockets)

    async def start(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        path: str | None = None,
        sock: socket.socket | Sequence[socket.socket] | None = None,
        ssl: tls.SSLContext | None = None,
        backlog: int = BACKLOG,
        **options: Any,
    ) -> None:
        """Listen on an address, a Unix socket's path, or sockets that are open already.

        `options` go to `loop.create_server` as they are: family, flags,
        reuse_address, reuse_port.
        """
        if path is not None and (host is not None or port is not None):
            raise ValueError("path excludes host and port")
        if self._closed is not None:
            raise RuntimeError("Server is already started")
        loop = asyncio.get_running_loop()
        self.context = ServerContext(
            self._status_details_codec, self.__dispatch__, self.limits, self.counters, loop
        )
        options |= {"backlog": backlog, "ssl": ssl}
        if ssl is not None:
            options["ssl_handshake_timeout"] = self.limits.preface_s
        if path is not None:
            self._servers = [await loop.create_unix_server(self._protocol, path, **options)]
        elif sock is None:
            where: dict[str, Any] = {"host": host, "port": port}
            self._servers = [await loop.create_server(self._protocol, **where, **options)]
        else:
            for each in [sock] if isinstance(sock, socket.socket) else sock:
                server = await loop.create_server(self._protocol, sock=each, **options)
                self._servers.append(server)
        self._closed = asyncio.Event()

    def close(self) -> None:
        """Stop now: no new connections, calls end UNAVAILABLE, handlers are cancelled."""
        if self._closed is None:
            raise RuntimeError("Server is not started")
        self._stop_listening()
        for connection in list(self._connections):
            connection.shut_down()

    async def drain(self, grace_s: float) -> None:
        """Stop gently: calls in flight get `grace_s` to finish, then `close`.

        New calls on old connections are refused in a way that clients retry elsewhere.
        """
        if self._closed is None:
            raise RuntimeError("Server is not started")
        self._stop_listening()
        for connection in list(self._connections):
            connection.drain()
        try:
            async with asyncio.timeout(grace_s):
                await self._closed.wait()
        except TimeoutError:
            self.close()
        await self.wait_closed()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and every handler has ended."""
        if self._closed is None:
            raise RuntimeError("Server is not started")
        await self._closed.wait()
        for server in self._servers:
            await server.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.close()
        await self.wait_closed()

    def _protocol(self) -> ProtocolDetector:
        return ProtocolDetector(self)

    def _stop_listening(self) -> None:
        self._closing = True
        for server in self._servers:
            server.close()
        self._check_closed()

    def _check_closed(self) -> None:
        if self._closing and not self._connections and self._closed is not None:
            self._closed.set()

    # The connections' side.

    def connected(self, connection: RegisteredConnection) -> bool:
        """Count a new connection; False where it must not stay."""
        counters = self.counters
        counters.connections += 1
        counters.connections_accepted += 1
        self._connections.add(connection)
        if counters.connections > self.limits.connections:
            counters.connections_refused += 1
            return False
        return not self._closing

    def replaced(self, old: RegisteredConnection, new: RegisteredConnection) -> None:
        """Go on with the protocol that a connection turned out to speak."""
        self._connections.remove(old)
        self._connections.add(new)

    def disconnected(self, connection: RegisteredConnection) -> None:
        """Forget a connection that is gone with its handlers."""
        if connection in self._connections:
            self._connections.remove(connection)
            self.counters.connections -= 1
            self._check_closed()
