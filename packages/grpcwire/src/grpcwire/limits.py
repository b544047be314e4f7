"""Every bound that a server keeps, each with its reason.

One frozen object per server. The docstring below a field names the thing that is
bounded, its unit and the default's reason; "Beyond:" begins the consequence for a peer
that goes further. `Counters` tells how often each limit struck. The table of the
README is compared with these docstrings by a test.
"""

from dataclasses import dataclass, fields
from typing import Final

__all__ = ["Limits"]

_MAX_WINDOW_BYTES: Final = 2**31 - 1
"""The largest flow-control window (RFC 9113, section 6.9.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one server: `_bytes` are bytes, `_s` seconds, other numbers counts."""

    # Messages.
    message_bytes: int = 4 * 1024 * 1024
    """Bytes of one request message, as sent and inflated. Every stock client accepts 4 MiB.
    Beyond: RESOURCE_EXHAUSTED for the call, by the length alone, before anything is kept.
    """
    connection_buffer_bytes: int = 16 * 1024 * 1024
    """Bytes of one connection's unfinished and unread messages: four of the largest.
    Beyond: RESOURCE_EXHAUSTED for the call that asks for more.
    """
    process_buffer_bytes: int = 256 * 1024 * 1024
    """Bytes of unfinished and unread messages of the whole process, within a small machine.
    Beyond: RESOURCE_EXHAUSTED for the call that asks for more.
    """
    process_unsent_bytes: int = 256 * 1024 * 1024
    """Bytes of responses that the windows of all HTTP/2 clients keep back.
    Beyond: RESOURCE_EXHAUSTED for the call that would add to them.
    """

    # Headers.
    header_list_bytes: int = 16 * 1024
    """Bytes of one request's header list; grpc-core's default too.
    Beyond: RESOURCE_EXHAUSTED for that call alone (HTTP/1.1: status 431).
    """
    header_block_bytes: int = 128 * 1024
    """Bytes of one header block as sent: a list that is too long is still decoded,
    so that both sides' tables stay equal.
    Beyond: the connection ends, ENHANCE_YOUR_CALM.
    """
    cached_header_blocks: int = 64
    """Request heads remembered for a connection; a client repeats a handful.
    Beyond: all are forgotten, and remembering begins anew.
    """
    cached_header_block_bytes: int = 1024
    """Bytes of a request head that is worth remembering, so that the memory is bounded.
    Beyond: the head is decoded each time.
    """

    # Calls and connections.
    concurrent_streams: int = 100
    """Calls under way on one connection; the least that RFC 9113 recommends. A cancelled
    call counts until its handler has ended.
    Beyond: REFUSED_STREAM, after which clients retry.
    """
    concurrent_calls: int = 10_000
    """Calls in flight in the process, over all connections.
    Beyond: RESOURCE_EXHAUSTED before any work.
    """
    connections: int = 20_000
    """Connections of the process. Requests that have begun and are not complete take no
    handler: this number times `concurrent_streams` bounds them.
    Beyond: GOAWAY at once, after which clients retry.
    """

    # Work.
    budget: int = 1000
    """Cheap frames that a connection may send beyond those its calls pay for. A client that
    cancels 100 calls at once and starts anew stays far below; 20,000 resets do not.
    Beyond: the connection ends, ENHANCE_YOUR_CALM (HTTP/1.1: status 429).
    """
    budget_per_s: float = 200
    """Cheap frames that each second gives back: more than any keepalive needs.
    Beyond: the budget shrinks.
    """
    frames_per_turn: int = 256
    """Frames of one connection handled in one turn of the loop: 128 small calls, 1 or 2 ms.
    One read can bring 256 KiB, some 9,000 resets.
    Beyond: the rest waits for its turn.
    """
    inflated_bytes_per_turn: int = 1024 * 1024
    """Bytes inflated for one connection in one turn, some 2 ms; gzip makes up to a thousand
    bytes of one.
    Beyond: the rest waits for its turn, after at most one message more.
    """

    # Flow control.
    stream_window_bytes: int = 65_535
    """Bytes of a request that may come before its handler reads; HTTP/2's own default.
    Beyond: RST_STREAM, FLOW_CONTROL_ERROR (HTTP/1.1: the socket is not read).
    """
    connection_window_bytes: int = 1024 * 1024
    """Bytes of all requests of a connection that may come unread; larger than a stream's, so
    that one slow stream does not stop the others.
    Beyond: the connection ends, FLOW_CONTROL_ERROR.
    """
    write_buffer_bytes: int = 64 * 1024
    """Bytes of output that may wait in a connection's transport; asyncio's default too.
    Beyond: handlers wait before they send more.
    """

    # Timeouts.
    preface_s: float = 10
    """Seconds for the TLS handshake, and for the client's preface or an HTTP/1.1 request's
    head; a client that means to speak sends either with its first packet.
    Beyond: the connection ends (HTTP/1.1: status 408 where a head has begun).
    """
    idle_s: float = 900
    """Seconds without a call and without a byte; clients reconnect on their own.
    Beyond: the connection ends, NO_ERROR.
    """
    stalled_write_s: float = 30
    """Seconds in which a peer takes nothing of the output that waits for it.
    Beyond: the connection ends, its calls with it.
    """
    linger_s: float = 1
    """Seconds after a connection's last output in which input is read and dropped, so that
    the output is not lost to a TCP reset.
    Beyond: the socket is closed.
    """
    drain_ping_s: float = 1
    """Seconds between the two GOAWAYs of a drain in which the answer to a PING is awaited.
    Beyond: the second is sent without it.
    """
    connection_age_s: float = 0
    """Seconds after which a connection is drained, so that clients spread anew over servers;
    0 is never.
    Beyond: GOAWAY; the calls under way get `connection_age_grace_s`.
    """
    connection_age_jitter: float = 0.1
    """Share of `connection_age_s` by which an age may differ, so that clients do not all
    come back at once.
    Beyond: no age differs more.
    """
    connection_age_grace_s: float = 30
    """Seconds that the calls of a drained old connection get to finish.
    Beyond: UNAVAILABLE, and the connection ends.
    """

    def __post_init__(self) -> None:
        """Raise ValueError for a bound that cannot work."""
        for field in fields(self):
            if getattr(self, field.name) < 0:
                raise ValueError(f"{field.name} is negative")
        if max(self.stream_window_bytes, self.connection_window_bytes) > _MAX_WINDOW_BYTES:
            raise ValueError("a window holds at most 2^31-1 bytes")
