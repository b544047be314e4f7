"""When an HTTP/1.1 connection must end: slow heads, silence, unread output, old age.

The rules of `watch`, for a protocol whose peer is waited for before each request: a
head that has begun must be complete within `preface_s`. One timer, set to the
earliest moment at which a rule can strike.
"""

from typing import Protocol

from grpcwire.calls.server_context import ServerContext
from grpcwire.transport.timeouts import Timeouts


class Watched(Protocol):
    """The connection's transport, as its watch sees it."""

    context: ServerContext
    last_active: float
    waiting_since: float | None
    stalled_since: float | None

    @property
    def working(self) -> bool:
        """Whether a request is under way."""

    @property
    def closing(self) -> bool:
        """Whether the end has begun."""

    def time_out(self) -> None:
        """End a connection whose request does not come."""

    @property
    def unwritten_bytes(self) -> int:
        """What waits for the peer to take it."""

    def cut_off(self) -> None:
        """End at once."""

    def drain(self) -> None:
        """End once the response is complete."""

    def shut_down(self) -> None:
        """End the call, then the connection."""


class Http1Timeouts(Timeouts[Watched]):
    """The rules of one connection."""

    __slots__ = ("_unwritten_bytes",)

    def __init__(self, watched: Watched) -> None:
        super().__init__(watched)
        self._unwritten_bytes = 0

    def stall(self) -> None:
        """Output waits for the peer: from now on it has to make progress."""
        self.took_some()
        self.look_within(self._watched.context.limits.stalled_write_s)

    def took_some(self) -> bool:
        """Whether the peer took any of what waits for it since this was last asked."""
        before, self._unwritten_bytes = self._unwritten_bytes, self._watched.unwritten_bytes
        return self._unwritten_bytes < before

    def _first_look_s(self) -> float:
        limits = self._watched.context.limits
        return min(limits.preface_s, limits.idle_s)

    def _look(self) -> None:
        self._timer = None
        watched = self._watched
        if watched.closing:
            return
        limits, counters = watched.context.limits, watched.context.counters
        now = watched.context.loop.time()
        left_idle = limits.idle_s
        if not watched.working:
            left_idle = watched.last_active + limits.idle_s - now
        left_waiting = _left(watched.waiting_since, limits.preface_s, now)
        left_stalled = _left(watched.stalled_since, limits.stalled_write_s, now)
        if left_stalled <= 0 and self.took_some():
            watched.stalled_since, left_stalled = now, limits.stalled_write_s
        if left_waiting <= 0:
            counters.preface_timeouts += 1
            watched.time_out()
        elif left_stalled <= 0:
            counters.stalled_writes += 1
            watched.cut_off()
        elif left_idle <= 0:
            counters.idle_timeouts += 1
            watched.shut_down()
        else:
            self.look_within(min(left_idle, left_waiting, left_stalled))


def _left(since: float | None, limit_s: float, now: float) -> float:
    return limit_s if since is None else since + limit_s - now
