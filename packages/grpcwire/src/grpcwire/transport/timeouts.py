"""When a connection must end: a late opening, silence, unread output, old age.

One timer is set to the earliest moment at which a rule can strike, so that ten thousand
idle connections cost next to nothing; another to the connection's old age. Tells the
connection to end; how it ends is not decided here.
"""

from abc import ABC, abstractmethod
from random import SystemRandom
from typing import TYPE_CHECKING, Final

from grpcwire.calls.server_context import ServerContext

if TYPE_CHECKING:
    import asyncio

__all__ = ["TimedConnection", "Timeouts"]

_random: Final = SystemRandom()


class TimedConnection(ABC):
    """A connection, as its timeouts see it."""

    __slots__ = ()

    context: ServerContext
    last_active: float
    """When something last moved, on the loop's clock."""
    closing: bool
    """True once the end has begun."""

    @property
    @abstractmethod
    def opening_since(self) -> float | None:
        """Since when the peer owes its preface, or the rest of a head; None if it owes none."""

    @property
    @abstractmethod
    def working(self) -> bool:
        """True while a handler is at work."""

    @property
    @abstractmethod
    def output_waits(self) -> bool:
        """True while output waits for the peer."""

    @property
    @abstractmethod
    def output_progress(self) -> int:
        """A number that grows as waiting output gets through."""

    @abstractmethod
    def end_unopened(self) -> None:
        """End: the preface, or a request's head, does not come."""

    @abstractmethod
    def end_stalled(self) -> None:
        """End: the peer does not read."""

    @abstractmethod
    def end_idle(self) -> None:
        """End: nothing has moved for long."""

    @abstractmethod
    def drain(self) -> None:
        """Take no new requests, finish those under way, then close."""

    @abstractmethod
    def shut_down(self) -> None:
        """End now: calls are told UNAVAILABLE, their handlers cancelled."""


class Timeouts:
    """The timers of one connection, and the rules that they serve."""

    __slots__ = ("_age_timer", "_connection", "_due", "_progress", "_stalled_since", "_timer")

    def __init__(self, connection: TimedConnection) -> None:
        self._connection = connection
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._age_timer: asyncio.TimerHandle | None = None
        self._stalled_since: float | None = None
        self._progress = 0

    def start(self) -> None:
        """Begin with the connection."""
        context = self._connection.context
        limits = context.limits
        self.look_within(min(limits.preface_s, limits.idle_s))
        if limits.connection_age_s:
            spread = 1 + limits.connection_age_jitter * _random.uniform(-1, 1)
            self._age_timer = context.loop.call_later(limits.connection_age_s * spread, self._aged)

    def stop(self) -> None:
        """End with the connection."""
        for timer in (self._timer, self._age_timer):
            if timer is not None:
                timer.cancel()

    def stall(self) -> None:
        """Demand progress from now on: output waits for the peer."""
        if self._stalled_since is None:
            self._stalled_since = self._connection.context.loop.time()
            self._progress = self._connection.output_progress
            self.look_within(self._connection.context.limits.stalled_write_s)

    def moved(self) -> None:
        """Demand nothing any more: the output got through, or its waiting begins anew."""
        self._stalled_since = None

    def look_within(self, delay_s: float) -> None:
        """Look again in `delay_s` at the latest."""
        loop = self._connection.context.loop
        due = loop.time() + delay_s
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        connection = self._connection
        if connection.closing:
            return
        limits, counters = connection.context.limits, connection.context.counters
        now = connection.context.loop.time()
        opening_s = _left_s(connection.opening_since, limits.preface_s, now)
        stalled_s = self._stalled_left_s(now)
        idle_since = None if connection.working else connection.last_active
        idle_s = _left_s(idle_since, limits.idle_s, now)
        if opening_s <= 0:
            counters.preface_timeouts += 1
            connection.end_unopened()
        elif stalled_s <= 0:
            counters.stalled_writes += 1
            connection.end_stalled()
        elif idle_s <= 0:
            counters.idle_timeouts += 1
            connection.end_idle()
        else:
            self.look_within(min(opening_s, stalled_s, idle_s))

    def _stalled_left_s(self, now: float) -> float:
        """Return the seconds that waiting output has left to make progress."""
        if not self._connection.output_waits:
            self._stalled_since = None
        if self._stalled_since is not None:
            progress = self._connection.output_progress
            if progress > self._progress:
                self._stalled_since = now
            self._progress = progress
        return _left_s(self._stalled_since, self._connection.context.limits.stalled_write_s, now)

    def _aged(self) -> None:
        context = self._connection.context
        context.counters.connections_aged += 1
        self._connection.drain()
        grace_s = context.limits.connection_age_grace_s
        self._age_timer = context.loop.call_later(grace_s, self._connection.shut_down)


def _left_s(since: float | None, limit_s: float, now: float) -> float:
    return limit_s if since is None else since + limit_s - now
