"""The numbers of a server: how often each limit struck, and how much is under way.

One object per server, or one for several servers of a process. The layers add to it;
whoever exports metrics reads it. A gauge goes up and down and stands at zero when
nothing is under way; every other number only grows.
"""

from dataclasses import asdict, dataclass

__all__ = ["Counters"]


@dataclass(slots=True)
class Counters:
    """The numbers of one server, all of them counts or bytes; reading is always safe."""

    # Gauges.
    connections: int = 0
    """Connections that are open, or whose handlers have not ended (gauge)."""
    calls: int = 0
    """Calls in flight, each until its handler has ended (gauge)."""
    buffered_bytes: int = 0
    """Bytes of unfinished and unread request messages (gauge)."""
    unsent_bytes: int = 0
    """Bytes of responses that HTTP/2's windows keep back (gauge)."""

    # Traffic.
    connections_accepted: int = 0
    """Connections that were opened, the refused included."""
    calls_started: int = 0
    """Calls that were given a place in flight."""
    calls_completed: int = 0
    """Calls whose place was given back, however they ended."""
    inflated_bytes: int = 0
    """Bytes that gzipped request messages became."""

    # Limits that struck.
    connections_refused: int = 0
    """Connections beyond `Limits.connections`."""
    streams_refused: int = 0
    """Streams beyond `Limits.concurrent_streams`, or begun after the last GOAWAY."""
    calls_refused: int = 0
    """Calls beyond `Limits.concurrent_calls`."""
    message_too_large: int = 0
    """Request messages beyond `Limits.message_bytes`."""
    buffer_exhausted: int = 0
    """Calls ended by `Limits.connection_buffer_bytes` or `process_buffer_bytes`."""
    unsent_exhausted: int = 0
    """Messages refused by `Limits.process_unsent_bytes`."""
    header_list_too_large: int = 0
    """Request heads beyond `Limits.header_list_bytes` or `header_block_bytes`."""
    budget_exhausted: int = 0
    """Connections ended because `Limits.budget` was overdrawn."""
    turns_cut: int = 0
    """Turns that `Limits.frames_per_turn` or `inflated_bytes_per_turn` ended early."""
    preface_timeouts: int = 0
    """Connections ended by `Limits.preface_s`."""
    idle_timeouts: int = 0
    """Connections ended by `Limits.idle_s`."""
    stalled_writes: int = 0
    """Connections ended by `Limits.stalled_write_s`."""
    connections_aged: int = 0
    """Connections drained because of `Limits.connection_age_s`."""
    deadlines_exceeded: int = 0
    """Calls ended by the deadline that their client set."""

    # Ends that the peer brought about.
    connection_errors: int = 0
    """Connections ended because the peer broke its protocol."""
    stream_errors: int = 0
    """HTTP/2 streams reset because the peer broke the protocol on them."""
    streams_reset_by_peer: int = 0
    """HTTP/2 streams that the client reset."""

    def as_dict(self) -> dict[str, int]:
        """A copy, for export."""
        return asdict(self)
