"""Every bound the engine keeps, each with its reason.

One frozen object per server. A field says what is bounded; its comment says why
the default is what it is and what happens beyond it. `Counters` tells how often
each struck.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one server. Sizes in bytes, times in seconds."""

    # Messages. 4 MiB is what every stock client accepts; beyond:
    # RESOURCE_EXHAUSTED, told from the length prefix before anything is
    # buffered, and again while inflating.
    message_bytes: int = 4 * 1024 * 1024
    # What one connection's unfinished or unread messages may hold together:
    # four of the largest. Beyond: RESOURCE_EXHAUSTED for the stream that asks.
    connection_buffer_bytes: int = 16 * 1024 * 1024
    # The same for the whole process.
    process_buffer_bytes: int = 256 * 1024 * 1024
    # What the windows of all HTTP/2 clients keep back of answers. Beyond:
    # RESOURCE_EXHAUSTED for the call that would add to it.
    process_unsent_bytes: int = 256 * 1024 * 1024

    # Headers. grpc-core's default is 16 KiB too. Beyond: RESOURCE_EXHAUSTED for
    # that call alone, since the block is still decoded to keep the tables equal.
    header_list_bytes: int = 16 * 1024
    # So a block is read to its end up to this; beyond: ENHANCE_YOUR_CALM.
    header_block_bytes: int = 128 * 1024
    # Header blocks remembered a connection. A client repeats a handful.
    cached_header_blocks: int = 64
    # Blocks longer than this are not remembered, so that the memory is bounded.
    cached_header_block_bytes: int = 1024

    # Calls. 100 is RFC 9113's advice for the least; beyond: REFUSED_STREAM,
    # which clients retry. A cancelled call counts until its handler has ended.
    concurrent_streams: int = 100
    # Calls in flight in the process, over all connections. Beyond:
    # RESOURCE_EXHAUSTED before any work.
    concurrent_calls: int = 10_000
    # Connections of the process. Beyond: GOAWAY at once, which clients retry.
    # Requests that have begun and not yet come whole take no handler, so these are
    # bounded by this times `concurrent_streams`, and end with the idle timer.
    connections: int = 20_000

    # Cheap frames a connection may send beyond what its calls pay for (see
    # http2.budget), and what a second gives back. A client that cancels 100
    # calls at once and starts anew stays far below; 20,000 resets do not.
    budget: int = 1000
    budget_per_s: float = 200

    # Work of one loop turn for one connection: 128 small calls, 1 or 2 ms. A
    # read can bring 256 KiB, some 9,000 resets; the rest waits for its turn.
    frames_per_turn: int = 256
    # The same for what gzip makes of them, up to a thousand octets of one: some 2 ms,
    # and at the most one message more.
    inflated_bytes_per_turn: int = 1024 * 1024

    # Flow control. Windows are credited as messages are read; the connection's
    # is larger so that one slow stream does not stop the others.
    stream_window_bytes: int = 65_535
    connection_window_bytes: int = 1024 * 1024
    # Output that may wait in a transport before handlers are held back.
    write_buffer_bytes: int = 64 * 1024

    # Timeouts. A client that speaks sends its preface with its first packet.
    preface_s: float = 10
    # No call running and no octet moved. Clients reconnect on their own.
    idle_s: float = 900
    # A peer that reads nothing while output waits for it is cut off.
    stalled_write_s: float = 30
    # How long after GOAWAY what still comes in is read and dropped, so that the
    # GOAWAY is not lost to a TCP reset.
    linger_s: float = 1
    # Between the two GOAWAYs of a drain the peer's PING answer is awaited.
    drain_ping_s: float = 1
    # A connection older than this is drained, so that clients spread anew over
    # servers; jitter keeps them from coming all at once. 0: never.
    connection_age_s: float = 0
    connection_age_jitter: float = 0.1
    # What a drained old connection's calls get to finish.
    connection_age_grace_s: float = 30

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        for field in fields(self):
            if getattr(self, field.name) < 0:
                raise ValueError(f"{field.name} is negative")
        if not self.stream_window_bytes < 2**31 > self.connection_window_bytes:
            raise ValueError("a window holds at most 2^31-1 bytes")
