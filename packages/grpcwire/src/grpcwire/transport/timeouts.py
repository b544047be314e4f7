"""The two timers of a connection, whichever version of HTTP it speaks.

One is set to the earliest moment at which a rule of its watch can strike, so that
ten thousand idle connections cost next to nothing; the other to the connection's
old age. Which rules there are is the watch's business.
"""

from abc import ABC, abstractmethod
from random import SystemRandom
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from grpcwire.calls.server_context import ServerContext

if TYPE_CHECKING:
    import asyncio

_random: Final = SystemRandom()


class Ageing(Protocol):
    """A connection's transport, as its timers see it."""

    context: ServerContext

    def drain(self) -> None:
        """End once the calls are done."""

    def shut_down(self) -> None:
        """End the calls, then the connection."""


Connection = TypeVar("Connection", bound=Ageing)


class Timeouts(ABC, Generic[Connection]):
    """The timers of one connection; a watch adds the rules."""

    __slots__ = ("_age_timer", "_due", "_timer", "_watched")

    def __init__(self, watched: Connection) -> None:
        self._watched = watched
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._age_timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin with the connection."""
        context = self._watched.context
        limits = context.limits
        self.look_within(self._first_look_s())
        if limits.connection_age_s:
            spread = 1 + limits.connection_age_jitter * _random.uniform(-1, 1)
            self._age_timer = context.loop.call_later(limits.connection_age_s * spread, self._aged)

    def stop(self) -> None:
        """End with the connection."""
        for timer in (self._timer, self._age_timer):
            if timer is not None:
                timer.cancel()

    def look_within(self, delay_s: float) -> None:
        """Look again in `delay_s` at the latest."""
        loop = self._watched.context.loop
        due = loop.time() + delay_s
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = loop.call_at(due, self._look)

    @abstractmethod
    def _first_look_s(self) -> float:
        """When a rule can first strike, in seconds from the start."""

    @abstractmethod
    def _look(self) -> None:
        """End the connection if a rule has struck, else set the timer anew."""

    def _aged(self) -> None:
        context = self._watched.context
        context.counters.connections_aged += 1
        self._watched.drain()
        grace_s = context.limits.connection_age_grace_s
        self._age_timer = context.loop.call_later(grace_s, self._watched.shut_down)
