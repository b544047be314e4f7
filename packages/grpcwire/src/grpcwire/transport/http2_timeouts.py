"""When a connection must end: no preface, silence, unread output, old age.

The rules for HTTP/2; `timers` says when to look. Tells the connection to end; how, is
not its business.
"""

from typing import Protocol

from grpcwire.calls.server_context import ServerContext
from grpcwire.http2.connection import Connection
from grpcwire.http2.errors import ErrorCode
from grpcwire.transport.timeouts import Timeouts


class Watched(Protocol):
    """The connection's transport, as its watch sees it."""

    context: ServerContext
    connection: Connection
    last_active: float
    paused: bool
    closing: bool

    @property
    def working(self) -> bool:
        """Whether a handler is at work."""

    @property
    def unwritten_bytes(self) -> int:
        """What waits in the transport."""

    def close(self, code: ErrorCode, reason: str) -> None:
        """End at once."""

    def drain(self) -> None:
        """End once the calls are done."""

    def shut_down(self) -> None:
        """End the calls, then the connection."""


class Http2Timeouts(Timeouts[Watched]):
    """The rules of one connection."""

    __slots__ = ("_mark", "_stalled_since")

    def __init__(self, watched: Watched) -> None:
        super().__init__(watched)
        self._stalled_since: float | None = None
        self._mark = 0

    def stall(self) -> None:
        """Output waits for the peer: from now on it has to make progress."""
        if self._stalled_since is None:
            self._stalled_since = self._watched.context.loop.time()
            self._mark = self._progress
            self.look_within(self._watched.context.limits.stalled_write_s)

    def moved(self) -> None:
        """Output got through: nothing waits, or its waiting begins anew."""
        self._stalled_since = None

    @property
    def _progress(self) -> int:
        """A number that grows as waiting output gets through."""
        watched = self._watched
        return watched.connection.sender.sent_bytes - watched.unwritten_bytes

    def _first_look_s(self) -> float:
        return self._watched.context.limits.preface_s

    def _look(self) -> None:
        self._timer = None
        watched = self._watched
        if watched.closing:
            return
        limits, counters = watched.context.limits, watched.context.counters
        now = watched.context.loop.time()
        stalled = self._stalled_for(now)
        idle = 0.0 if watched.working else now - watched.last_active
        if not watched.connection.settled:
            counters.preface_timeouts += 1
            watched.close(ErrorCode.SETTINGS_TIMEOUT, "no preface in time")
        elif stalled >= limits.stalled_write_s:
            counters.stalled_writes += 1
            watched.close(ErrorCode.ENHANCE_YOUR_CALM, "responses are not read")
        elif idle >= limits.idle_s:
            counters.idle_timeouts += 1
            watched.close(ErrorCode.NO_ERROR, "idle")
        elif self._stalled_since is None:
            self.look_within(limits.idle_s - idle)
        else:
            self.look_within(min(limits.idle_s - idle, limits.stalled_write_s - stalled))

    def _stalled_for(self, now: float) -> float:
        """How long output has waited without any of it getting through."""
        if not self._watched.paused and not self._watched.connection.sender.blocked:
            self._stalled_since = None
        if self._stalled_since is None:
            return 0.0
        progress = self._progress
        if progress > self._mark:
            self._stalled_since = now
        self._mark = progress
        return now - self._stalled_since
