"""The asyncio end of one HTTP/2 connection: octets in, octets out, timers.

Feeds the connection what arrives, hands its events to the calls, and writes what
has gathered once per turn of the loop. A read that holds more frames than a turn
may handle is finished in later turns, with reading paused meanwhile. Writing that
does not get through pauses reading too, so that a peer which reads nothing can
make us produce nothing. When a connection has to end for its silence or age,
`watch` knows; how it ends stands here.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, Final, cast

from grpclib.const import Status

from grpcwire.calls.peer import Peer
from grpcwire.calls.stream_owner import StreamOwner
from grpcwire.http2 import events, streams
from grpcwire.http2.connection import Connection
from grpcwire.http2.errors import ErrorCode
from grpcwire.protocols.grpc import GrpcRoute, TrailersOnly
from grpcwire.protocols.grpc_call import GrpcCall
from grpcwire.protocols.response_writer import Http2Response
from grpcwire.protocols.web_call import begin
from grpcwire.transport.http2_timeouts import Http2Timeouts
from grpcwire.transport.registry import ConnectionRegistry

# Budgets are refilled in steps of at least this, not with every read.
_REFILL_S: Final = 0.05


class Http2Protocol(asyncio.Protocol):
    """One connection; the `ServerTransport` of its calls."""

    __slots__ = (
        "_drained",
        "_draining",
        "_flush_due",
        "_fresh",
        "_hurried",
        "_in_turn",
        "_lost",
        "_refilled",
        "_registry",
        "_running",
        "_timeouts",
        "_transport",
        "_turn_due",
        "buffered_bytes",
        "closing",
        "connection",
        "context",
        "last_active",
        "paused",
        "peer",
    )

    _transport: asyncio.Transport
    peer: Peer

    def __init__(self, registry: ConnectionRegistry) -> None:
        context = registry.context
        self._registry = registry
        self.context = context
        self.connection = Connection(context.limits, context.counters)
        self.buffered_bytes = 0
        self._running: set[StreamOwner] = set()
        self._fresh: list[StreamOwner] = []  # begun in this turn, clock not started
        self._in_turn = False
        self._flush_due = False
        self._turn_due = False
        self.paused = False  # the transport takes no more
        self.closing = False  # the end has begun: nothing is read any more
        self._draining = False  # the first GOAWAY is out
        self._drained = False  # and the last
        self._hurried = False  # nobody is waited for any more
        self._lost = False
        self.last_active = self._refilled = context.loop.time()
        self._timeouts = Http2Timeouts(self)

    # ---- asyncio's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the peer, or send it away where there are too many already."""
        # uvloop's transports are none of asyncio's classes, only alike.
        self._transport = transport = cast("asyncio.Transport", transport)
        self.peer = Peer(transport)
        limits = self.context.limits
        transport.set_write_buffer_limits(high=limits.write_buffer_bytes)
        if not self._registry.connected(self):
            self.close(ErrorCode.NO_ERROR, "too many connections")
            return
        self._timeouts.start()
        self.flush_soon()

    def data_received(self, data: bytes) -> None:
        """Handle what came, now or as far as this turn allows."""
        if self.closing:
            return
        self.last_active = self.context.loop.time()
        self._take_turn(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End the calls of a peer that is gone."""
        self._lost = self.closing = True
        self._timeouts.stop()
        self._cut_off_calls()
        self.connection.abandon()
        self._report_end()

    def pause_writing(self) -> None:
        """Stop producing: the peer does not read, or not fast enough."""
        self.paused = True
        self.connection.sender.pause(paused=True)
        self._transport.pause_reading()
        self._timeouts.stall()

    def resume_writing(self) -> None:
        """Go on producing."""
        self.paused = False
        self._timeouts.moved()
        self.connection.sender.pause(paused=False)
        if not self._turn_due:
            self._transport.resume_reading()
        self.flush_soon()

    # ---- a turn

    def _take_turn(self, data: bytes) -> None:
        connection = self.connection
        now = self.last_active
        if now - self._refilled > _REFILL_S:
            connection.budget.earn((now - self._refilled) * self.context.limits.budget_per_s)
            self._refilled = now
        counters = self.context.counters
        enough = counters.inflated_bytes + self.context.limits.inflated_bytes_per_turn
        self._in_turn = True
        waiting = iter(connection.receive(data))
        for event in waiting:
            self._handlers[event.__class__](self, event)
            if counters.inflated_bytes > enough:
                connection.put_back([*waiting])
        self._in_turn = False
        if self._fresh:
            for call in self._fresh:
                call.arm()
            self._fresh.clear()
        if connection.backlogged and not self.closing:
            self._postpone()
        self._flush()

    def _postpone(self) -> None:
        """Let the others have their turn before the rest of this read."""
        self.context.counters.turns_cut += 1
        if not self._turn_due:
            self._turn_due = True
            self._transport.pause_reading()
            self.context.loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._turn_due = False
        if self.closing:
            return
        self.last_active = self.context.loop.time()
        self._take_turn(b"")
        if not self._turn_due and not self.paused and not self.closing:
            self._transport.resume_reading()

    def _on_request(self, event: events.RequestReceived) -> None:
        head = event.head
        if event.stream.state in streams.OVER:
            self.connection.release()  # reset in the same read: nothing was begun
            return
        if head is None:
            text = "Header list is larger than the limit"
            self._refuse(
                event, self._registry.router.trailers_only(Status.RESOURCE_EXHAUSTED, text)
            )
            return
        route = head.route
        if route is None:
            route = head.route = self._registry.router.route(head)
        if isinstance(route, GrpcRoute):
            call = GrpcCall(self, event.stream, route)
            if route.timeout_s is not None:
                self._fresh.append(call)
            if event.ended:
                call.receive_end()
        else:
            self._begin_other(event, route, bodyless=head.method == b"HEAD")

    def _begin_other(self, event: events.RequestReceived, route: object, *, bodyless: bool) -> None:
        """Begin what is no gRPC call."""
        if isinstance(route, TrailersOnly):
            self._refuse(event, route.block)
            return
        response = Http2Response(self.connection, event.stream, bodyless=bodyless)
        owner = begin(self, event.stream, response, route, event.stream.expected)
        self._fresh.append(owner)
        if event.ended:
            owner.receive_end()

    def answer_ended(self) -> None:
        """Give the place of a request that was no call to the next."""
        self.connection.release()

    def _refuse(self, event: events.RequestReceived, block: bytes) -> None:
        """Response a request that leads to no call."""
        self.connection.send_headers_only(event.stream, block)
        self.connection.release()

    def _on_data(self, event: events.DataReceived) -> None:
        owner = event.stream.owner
        if owner is not None:
            owner.receive_data(event.data, event.charged, ended=event.ended)

    def _on_trailers(self, event: events.TrailersReceived) -> None:
        owner = event.stream.owner
        if owner is not None:
            owner.receive_end()

    def _on_reset(self, event: events.StreamReset) -> None:
        owner = event.stream.owner
        if owner is not None:
            owner.reset()

    def _on_unblocked(self, event: events.StreamUnblocked) -> None:
        owner = event.stream.owner
        if owner is not None:
            owner.unblocked()

    def _on_ping(self, _event: events.PingAcknowledged) -> None:
        if self._draining:
            self._finish_drain()

    def _on_failure(self, _event: events.ConnectionFailed) -> None:
        self._linger()

    _handlers: ClassVar[dict[type, Callable[["Http2Protocol", Any], None]]] = {
        events.RequestReceived: _on_request,
        events.DataReceived: _on_data,
        events.TrailersReceived: _on_trailers,
        events.StreamReset: _on_reset,
        events.StreamUnblocked: _on_unblocked,
        events.PingAcknowledged: _on_ping,
        events.ConnectionFailed: _on_failure,
    }

    # ---- writing

    def flush_soon(self) -> None:
        """Write what has gathered, in this turn of the loop or the next."""
        if not self._in_turn and not self._flush_due:
            self._flush_due = True
            self.context.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        sender = self.connection.sender
        if self._lost:
            sender.outgoing.clear()
            return
        if sender.blocked and not self.paused:
            for stream in self.connection.unblock():
                if stream.owner is not None:
                    stream.owner.unblocked()
        cut = sender.room <= 0
        if sender.outgoing:
            self._transport.write(sender.take())
        if sender.blocked and not self.paused:
            if cut:
                self.flush_soon()
            self._timeouts.stall()
        if self._draining:
            self._close_when_done()

    @property
    def working(self) -> bool:
        """Whether a handler is at work."""
        return bool(self._running)

    @property
    def unwritten_bytes(self) -> int:
        """What was written and waits for the peer to read."""
        return self._transport.get_write_buffer_size()

    def call_started(self, call: StreamOwner) -> None:
        """Keep a call whose handler waits."""
        self._running.add(call)

    def call_ended(self, call: StreamOwner) -> None:
        """Give the call's place to the next."""
        self._running.discard(call)
        self.connection.release()
        if self._lost:
            self._report_end()
        elif self._draining:
            self.flush_soon()

    # ---- the end

    def drain(self) -> None:
        """Take no new calls, finish those under way, then close (RFC 9113, 6.8)."""
        if self._draining or self.closing:
            return
        self._draining = True
        self.connection.announce_drain()
        self.context.loop.call_later(self.context.limits.drain_ping_s, self._finish_drain)
        self.flush_soon()

    def _finish_drain(self) -> None:
        if not self._drained and not self.closing:
            self._drained = True
            self.connection.drain()
            self.flush_soon()

    def _close_when_done(self) -> None:
        connection = self.connection
        if self._drained and not self.closing and not connection.occupied + len(connection.streams):
            self.closing = True
            self._half_close()
            if not self._transport.can_write_eof():
                self._transport.close()
            patience_s = 0 if self._hurried else self.context.limits.stalled_write_s
            self._abort_later(self.context.loop.time() + patience_s)

    def _abort_later(self, latest: float) -> None:
        """Wait for the peer to close too, and for the last octets to get through."""

        def look() -> None:
            waiting = not self._lost and self.unwritten_bytes > 0
            if waiting and self.context.loop.time() < latest:
                self._abort_later(latest)
            else:
                self._transport.abort()

        self.context.loop.call_later(self.context.limits.linger_s, look)

    def shut_down(self) -> None:
        """End now: calls are told UNAVAILABLE, their handlers cancelled."""
        if self.closing:
            return
        self._draining = self._hurried = True
        self._finish_drain()
        self.connection.refuse_put_back()
        for call in self._calls():
            call.end(Status.UNAVAILABLE, "Server is shutting down")
        # Answers that the peer's windows keep back get no longer than this.
        self.context.loop.call_later(self.context.limits.linger_s, self._give_up)
        self.flush_soon()

    def _give_up(self) -> None:
        self.connection.abandon()
        self.flush_soon()

    def close(self, code: ErrorCode, reason: str) -> None:
        """End the connection with GOAWAY, its calls with it."""
        if not self.closing:
            self.connection.close(code, reason)
            self._linger()
            self._flush()

    def _linger(self) -> None:
        """Drop what still comes in for a while, so that GOAWAY arrives before a TCP reset."""
        self.closing = True
        self._cut_off_calls()
        self.connection.abandon()
        transport = self._transport
        self.context.loop.call_later(self.context.limits.linger_s, transport.abort)
        self.context.loop.call_soon(self._half_close)

    def _half_close(self) -> None:
        """Say that nothing more comes; closing at once could lose what was said."""
        if not self._lost:
            self._flush()
            self._transport.resume_reading()
            if self._transport.can_write_eof():
                with suppress(OSError):  # the peer may be gone already
                    self._transport.write_eof()

    def _cut_off_calls(self) -> None:
        for call in self._calls():
            call.reset()

    def _calls(self) -> list[StreamOwner]:
        """Every call of the connection, those of reset streams included."""
        calls: set[StreamOwner] = {*self._running}
        for stream in self.connection.streams.values():
            if stream.owner is not None:
                calls.add(stream.owner)
        return list(calls)

    def _report_end(self) -> None:
        if not self._running:
            self._registry.disconnected(self)
