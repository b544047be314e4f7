"""The servers that can run the handlers: ours, and grpclib's own beside it.

Ours takes gRPC, gRPC-Web and Connect on one port, and tells tools of the contract.

Both serve the same handlers on the same sockets and drain by the same limit.
grpclib's server can't say GOAWAY nor stop listening without breaking calls, so
there new calls are refused one by one, in a way that is safe to retry.
"""

import asyncio
import ssl
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from socket import socket
from typing import Any, ClassVar, Final, Protocol

import grpclib.server
from grpclib import GRPCError, Status
from grpclib.encoding.proto import ProtoStatusDetailsCodec
from grpclib.events import RecvRequest, listen
from grpclib.server import Stream
from typing_extensions import override

import grpcwire
from protowire import Codec, JsonCodec
from servicekit.listening import BACKLOG
from taskpb import descriptor_set

__all__ = ["ENGINES", "CallsInFlight", "Engine", "GrpclibEngine", "GrpcwireEngine"]

_CLOSE_S: Final = 1.0
"""The seconds that a server that was closed may take.

Ours waits for handlers, should one ignore that it is cancelled; grpclib's for
its clients to hang up, on some versions of Python.
"""

_HEALTH: Final = "/grpc.health.v1.Health/"
"""The calls that a service that drains still answers: it says that it does."""


class Engine(Protocol):
    """A server of handlers, as a service runs it."""

    alpn: ClassVar[Sequence[str]]
    """The protocols it offers in a TLS handshake, the best first."""

    @abstractmethod
    async def start(self, sockets: Sequence[socket], tls: ssl.SSLContext | None) -> None:
        """Serve on sockets that are bound."""

    @abstractmethod
    async def drain(self, grace_s: float) -> None:
        """Refuse new calls, let those in flight finish for up to `grace_s` seconds, then stop."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop now."""


class GrpcwireEngine(Engine):
    """Our server."""

    alpn = ("h2", "http/1.1")

    def __init__(self, handlers: Sequence[Any], cors_origins: Collection[str] = ()) -> None:
        """`cors_origins` may call from a browser, from pages of other origins."""
        described = descriptor_set()
        self._server = grpcwire.Server(
            grpcwire.with_reflection(handlers, described),
            codec=Codec(),
            codecs=[JsonCodec()],
            status_details_codec=ProtoStatusDetailsCodec(),
            idempotent=grpcwire.idempotent_methods(described),
            cors=grpcwire.Cors(frozenset(cors_origins)) if cors_origins else None,
        )

    @override
    async def start(self, sockets: Sequence[socket], tls: ssl.SSLContext | None) -> None:
        await self._server.start(sock=sockets, ssl=tls, backlog=BACKLOG)

    @override
    async def drain(self, grace_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s + _CLOSE_S):
                await self._server.drain(grace_s)

    @override
    async def stop(self) -> None:
        self._server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._server.wait_closed()


class GrpclibEngine(Engine):
    """grpclib's server, one for each socket. It speaks gRPC alone, which no page can."""

    alpn = ("h2",)

    def __init__(self, handlers: Sequence[Any], _cors_origins: Collection[str] = ()) -> None:
        self._handlers = handlers
        self._calls = CallsInFlight()
        self._servers: list[grpclib.server.Server] = []

    @override
    async def start(self, sockets: Sequence[socket], tls: ssl.SSLContext | None) -> None:
        for each in sockets:
            server = grpclib.server.Server(
                self._handlers, codec=Codec(), status_details_codec=ProtoStatusDetailsCodec()
            )
            listen(server, RecvRequest, self._calls.admit)
            await server.start(sock=each, ssl=tls, backlog=BACKLOG)
            self._servers.append(server)

    @override
    async def drain(self, grace_s: float) -> None:
        await self._calls.drain(grace_s)
        await self.stop()

    @override
    async def stop(self) -> None:
        for server in self._servers:
            server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*(server.wait_closed() for server in self._servers))


ENGINES: Final[Mapping[str, Callable[[Sequence[Any], Collection[str]], Engine]]] = {
    "grpcwire": GrpcwireEngine,
    "grpclib": GrpclibEngine,
}
"""The constructors by the name that `--engine` takes."""


class CallsInFlight:
    """Counts calls; once draining, refuses new ones in a way that is safe to retry."""

    def __init__(self) -> None:
        self._count = 0
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def admit(self, event: RecvRequest) -> None:
        """Let a call in; the engine's listener for RecvRequest."""
        if self._draining and not event.method_name.startswith(_HEALTH):
            raise GRPCError(Status.UNAVAILABLE, "the service is stopping; retry")
        handle = event.method_func

        async def counted(stream: Stream[Any, Any]) -> None:
            self._count += 1
            self._idle.clear()
            try:
                await handle(stream)
            finally:
                self._count -= 1
                if not self._count:
                    self._idle.set()

        event.method_func = counted

    async def drain(self, grace_s: float) -> int:
        """Refuse new calls, wait for those in flight; return the number left after `grace_s`."""
        self._draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        return self._count
