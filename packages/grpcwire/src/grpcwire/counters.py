"""How often each limit struck, and what is under way: plain numbers.

One object per server. The layers add to it, whoever exports metrics reads it.
Gauges go up and down and stand at zero when nothing is under way; everything
else only grows.
"""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counters:
    """The numbers of one server; reading them is always safe."""

    # Gauges.
    connections: int = 0
    calls: int = 0
    buffered_bytes: int = 0
    unsent_bytes: int = 0

    # What went through.
    connections_accepted: int = 0
    calls_started: int = 0
    calls_completed: int = 0
    inflated_bytes: int = 0

    # Limits that struck, each named after its field of Limits.
    connections_refused: int = 0
    streams_refused: int = 0
    calls_refused: int = 0
    message_too_large: int = 0
    buffer_exhausted: int = 0
    unsent_exhausted: int = 0
    header_list_too_large: int = 0
    budget_exhausted: int = 0
    turns_cut: int = 0
    preface_timeouts: int = 0
    idle_timeouts: int = 0
    stalled_writes: int = 0
    connections_aged: int = 0
    deadlines_exceeded: int = 0

    # Ends of connections and streams that the peer brought about.
    connection_errors: int = 0
    stream_errors: int = 0
    streams_reset_by_peer: int = 0

    def as_dict(self) -> dict[str, int]:
        """A copy, for export."""
        return asdict(self)
