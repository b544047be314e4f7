"""Protocol detection: the first bytes of a connection tell HTTP/2 from HTTP/1.1.

Under TLS the handshake may have settled it (ALPN). Otherwise the bytes do: HTTP/2 with
prior knowledge begins with `PRI`, which is not a method of HTTP/1.1 (RFC 9113, section
3.4); bytes that cannot begin a method are left to HTTP/2 to refuse. An `Upgrade: h2c`
is ignored, as the standard allows. The connection then gets the protocol of its version
and this one is gone.
"""

import asyncio
import re
import ssl
from typing import Final, cast

from grpcwire.transport.connection_protocol import ConnectionProtocol
from grpcwire.transport.http1_protocol import Http1Protocol
from grpcwire.transport.http2_protocol import Http2Protocol
from grpcwire.transport.registry import ConnectionRegistry

__all__ = ["ProtocolDetector"]

_HTTP2: Final = b"PRI"
_METHOD: Final = re.compile(rb"[A-Za-z\r\n]")
_NOT_HTTP: Final = re.compile(rb"[^\r\n ]+ [^\r\n ]+ (?!HTTP/)[^\r\n]*\r?\n")
"""A first line that names another protocol where HTTP/1.1 has its own begins no request."""


class ProtocolDetector(asyncio.Protocol):
    """A connection that has not said what it speaks."""

    __slots__ = ("_draining", "_received", "_registry", "_timer", "_transport")

    def __init__(self, registry: ConnectionRegistry) -> None:
        self._registry = registry
        self._received = b""
        self._draining = False
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes, unless the handshake has told all."""
        # uvloop's transports are not of asyncio's classes, only alike.
        self._transport = cast("asyncio.Transport", transport)
        allowed = self._registry.connected(self)
        handshake = transport.get_extra_info("ssl_object")
        agreed = (
            handshake.selected_alpn_protocol() if isinstance(handshake, ssl.SSLObject) else None
        )
        if agreed == "http/1.1":
            self._become(Http1Protocol(self._registry), allowed=allowed)
        elif agreed == "h2" or not allowed:
            self._become(Http2Protocol(self._registry), allowed=allowed)
        else:
            context = self._registry.context
            self._timer = context.loop.call_later(context.limits.preface_s, self._time_out)

    def data_received(self, data: bytes) -> None:
        """Decide as soon as the bytes differ, at the third at the latest."""
        received = self._received = self._received + data
        if _HTTP2.startswith(received):
            return
        if (
            not received.startswith(_HTTP2)
            and _METHOD.match(received)
            and not _NOT_HTTP.match(received)
        ):
            self._become(Http1Protocol(self._registry))
        else:
            self._become(Http2Protocol(self._registry))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget a client that said nothing."""
        self._stop_timer()
        self._registry.disconnected(self)

    def drain(self) -> None:
        """Close soon; a request under way is taken, since its client knows nothing yet."""
        if not self._draining:
            self._draining = True
            self._stop_timer()
            context = self._registry.context
            self._timer = context.loop.call_later(context.limits.linger_s, self.shut_down)

    def shut_down(self) -> None:
        """Close: nothing has begun."""
        if self._transport is not None:
            self._transport.close()

    def _time_out(self) -> None:
        self._registry.context.counters.preface_timeouts += 1
        self.shut_down()

    def _become(self, protocol: ConnectionProtocol, *, allowed: bool = True) -> None:
        self._stop_timer()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._registry.replaced(self, protocol)
        transport.set_protocol(protocol)
        protocol.take_over(transport, allowed=allowed)
        if self._draining:
            protocol.drain()
        if self._received:
            protocol.data_received(self._received)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
