"""The asyncio end of one connection, as far as both versions of HTTP share it.

Feeds the protocol core with what arrives, in turns of bounded work; keeps the calls
that run, and the moment at which something last moved; gathers what is to be written
and writes it once a turn of the loop. A subclass is one version: it hands the core's
events to the calls, and knows how its connections end.

A connection's life only goes forward, as `MOVES` says:

    OPEN      requests come and are answered
    DRAINING  no new request is wanted; those that come are still taken
    DRAINED   no new request is taken; the end comes with the last call
    CLOSING   the end has begun: nothing is read any more, output may still go out
    LOST      the transport is gone

Only `timeouts` decides that a connection has to end for its silence or age.
"""

import asyncio
from abc import abstractmethod
from contextlib import suppress
from enum import IntEnum
from typing import Final, cast

from typing_extensions import override

from grpcwire.calls.peer import Peer
from grpcwire.calls.stream_owner import StreamOwner
from grpcwire.http.budget import Budget
from grpcwire.transport.registry import ConnectionRegistry
from grpcwire.transport.timeouts import TimedConnection, Timeouts

__all__ = ["MOVES", "REFILL_S", "ConnectionProtocol", "Life"]

REFILL_S: Final = 0.05
"""Budgets are refilled in steps of at least this, not with every read."""


class Life(IntEnum):
    """The life of a connection, in its order."""

    OPEN = 0
    DRAINING = 1
    DRAINED = 2
    CLOSING = 3
    LOST = 4


MOVES: Final[dict[Life, frozenset[Life]]] = {
    Life.OPEN: frozenset((Life.DRAINING, Life.CLOSING, Life.LOST)),
    Life.DRAINING: frozenset((Life.DRAINED, Life.CLOSING, Life.LOST)),
    Life.DRAINED: frozenset((Life.CLOSING, Life.LOST)),
    Life.CLOSING: frozenset((Life.LOST,)),
    Life.LOST: frozenset(),
}
"""The lives that may follow each; a move that is not there does not happen."""

# A look-up of a member in its class costs more than all other work of some methods here.
_OPEN: Final = Life.OPEN
_CLOSING: Final = Life.CLOSING
_LOST: Final = Life.LOST


class ConnectionProtocol(asyncio.Protocol, TimedConnection):
    """One connection; the `ServerTransport` of its calls."""

    __slots__ = (
        "_flush_due",
        "_fresh",
        "_patience_s",
        "_refilled",
        "_registry",
        "_running",
        "_timeouts",
        "_transport",
        "_turn_due",
        "buffered_bytes",
        "closing",
        "context",
        "last_active",
        "life",
        "peer",
    )

    _transport: asyncio.Transport
    peer: Peer

    def __init__(self, registry: ConnectionRegistry) -> None:
        context = registry.context
        self._registry = registry
        self.context = context
        self.life = _OPEN
        self.closing = False
        """True once the end has begun: nothing is read any more. `_move` keeps it."""
        self.buffered_bytes = 0
        self._running: set[StreamOwner] = set()
        self._fresh: list[StreamOwner] = []
        """The calls that began in this turn, whose clocks are not started."""
        self._flush_due = False
        """True while a flush will follow by itself: one is scheduled, or a turn is under way."""
        self._turn_due = False
        self._patience_s = context.limits.stalled_write_s
        """The seconds for which the last output is waited for without progress."""
        self.last_active = self._refilled = context.loop.time()
        self._timeouts = Timeouts(self)

    # Asyncio's calls.

    def take_over(self, transport: asyncio.BaseTransport, *, allowed: bool) -> None:
        """Begin on a connection that is open; one that is not `allowed` is sent away."""
        # uvloop's transports are not of asyncio's classes, only alike.
        self._transport = cast("asyncio.Transport", transport)
        self.peer = Peer(transport)
        limits = self.context.limits
        self._transport.set_write_buffer_limits(high=limits.write_buffer_bytes)
        if not allowed:
            self._turn_away()
            return
        self._timeouts.start()
        self.flush_soon()

    def data_received(self, data: bytes) -> None:
        """Handle what came, now or as far as this turn allows."""
        if not self.closing:
            self.last_active = self.context.loop.time()
            self._take_turn(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End the calls of a peer that is gone."""
        self._move(_LOST)
        self._timeouts.stop()
        self._reset_calls()
        self._report_end()

    # The calls' side.

    @property
    @override
    def working(self) -> bool:
        return bool(self._running)

    def call_started(self, call: StreamOwner) -> None:
        """Keep a call whose handler waits."""
        self._running.add(call)

    def call_ended(self, call: StreamOwner) -> None:
        """Forget a call: its place is free."""
        self._running.discard(call)
        self.request_ended()
        if self.life is _LOST:
            self._report_end()
        elif self.life is not _OPEN:
            self.flush_soon()

    @abstractmethod
    def request_ended(self) -> None:
        """Note that a request is over, call or not."""

    @abstractmethod
    def flush_soon(self) -> None:
        """Write what has gathered, in this turn of the loop or the next."""

    @property
    def unwritten_bytes(self) -> int:
        """The bytes that were written and wait for the peer to read."""
        return self._transport.get_write_buffer_size()

    # A version's own.

    @abstractmethod
    def _take_turn(self, data: bytes) -> None:
        """Feed the core, hand its events to the calls, write what came of it."""

    @abstractmethod
    def _turn_away(self) -> None:
        """Tell a peer that there are too many connections already, and close."""

    @abstractmethod
    def _reset_calls(self) -> None:
        """End every call without telling anybody, and drop what waits to be sent."""

    # Shared steps.

    def _move(self, life: Life) -> bool:
        """Go on to `life` where the table has that move; True if it did."""
        if life not in MOVES[self.life]:
            return False
        self.life = life
        self.closing = life >= _CLOSING
        return True

    def _refill(self, budget: Budget) -> None:
        """Give a peer's budget what the time since the last refill earned."""
        elapsed_s = self.last_active - self._refilled
        budget.earn(elapsed_s * self.context.limits.budget_per_s)
        self._refilled = self.last_active

    def _turn_soon(self) -> None:
        """Take another turn after the others had theirs."""
        if not self._turn_due:
            self._turn_due = True
            self.context.loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._turn_due = False
        if not self.closing:
            self.last_active = self.context.loop.time()
            self._take_turn(b"")

    def _write_eof(self) -> None:
        """Say that nothing more comes; closing at once could lose what was said."""
        if self._transport.can_write_eof():
            with suppress(OSError):  # the peer may be gone already
                self._transport.write_eof()

    def _abort_later(self) -> None:
        """Wait for the peer to close too, as long as it takes what waits for it."""
        loop, linger_s = self.context.loop, self.context.limits.linger_s
        since, unwritten_bytes = loop.time(), self.unwritten_bytes

        def look() -> None:
            nonlocal since, unwritten_bytes
            if self.life is _LOST:
                return
            before, unwritten_bytes = unwritten_bytes, self.unwritten_bytes
            if unwritten_bytes < before:
                since = loop.time()
            if unwritten_bytes and loop.time() < since + self._patience_s:
                loop.call_later(linger_s, look)
            else:
                self._transport.abort()

        loop.call_later(linger_s, look)

    def _report_end(self) -> None:
        if not self._running:
            self._registry.disconnected(self)
