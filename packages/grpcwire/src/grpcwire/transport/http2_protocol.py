"""The asyncio end of one HTTP/2 connection.

Feeds the connection with what arrives, hands its events to the calls, and writes what
has gathered once per turn of the loop. A read that holds more frames than a turn may
handle is finished in later turns, with reading paused meanwhile. Writing that does not
get through pauses reading too, so that a peer which reads nothing can make us produce
nothing.

The end of a connection, step by step (RFC 9113, section 6.8):

1. `drain` sends a GOAWAY that refuses nothing yet, and a PING.
2. The answer to the PING, or `drain_ping_s`, brings the last GOAWAY: streams that came
   before it are served, later ones are refused in a way that is safe to retry.
3. With the last call and the last byte out, our side is closed; the peer closes its own.
4. A peer that does not is cut off, once it takes nothing more (`_abort_later`).

A connection that has to end at once begins at step 3, and what still comes in is read
and dropped for `linger_s`, so that GOAWAY arrives before a TCP reset.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from grpclib.const import Status
from typing_extensions import override

from grpcwire.calls.stream_owner import StreamOwner
from grpcwire.http2 import events
from grpcwire.http2.errors import ErrorCode
from grpcwire.http2.server_connection import ServerConnection
from grpcwire.http2.streams import Stream
from grpcwire.protocols.grpc import GrpcRoute, TrailersOnly
from grpcwire.protocols.grpc_call import GrpcCall
from grpcwire.protocols.response_writer import Http2Response
from grpcwire.protocols.web_call import begin
from grpcwire.transport.connection_protocol import REFILL_S, ConnectionProtocol, Life
from grpcwire.transport.registry import ConnectionRegistry

__all__ = ["Http2Protocol"]

_DRAINED: Final = Life.DRAINED
_CLOSING: Final = Life.CLOSING
_LOST: Final = Life.LOST
_HEADERS_TOO_LARGE: Final = "Header list is larger than the limit"


class Http2Protocol(ConnectionProtocol):
    """One connection; the `ServerTransport` of its calls."""

    __slots__ = ("_opened_at", "connection")

    def __init__(self, registry: ConnectionRegistry) -> None:
        super().__init__(registry)
        self.connection = ServerConnection(self.context.limits, self.context.counters)
        self._opened_at = self.last_active

    # Asyncio's calls.

    @override
    def pause_writing(self) -> None:
        # The peer does not read, or not fast enough: nothing more is produced.
        self.connection.sender.pause(paused=True)
        self._transport.pause_reading()
        self._timeouts.stall()

    @override
    def resume_writing(self) -> None:
        self._timeouts.moved()
        self.connection.sender.pause(paused=False)
        if not self._turn_due:
            self._transport.resume_reading()
        self.flush_soon()

    # A turn.

    @override
    def _take_turn(self, data: bytes) -> None:
        connection = self.connection
        if self.last_active - self._refilled > REFILL_S:
            self._refill(connection.budget)
        counters = self.context.counters
        enough = counters.inflated_bytes + self.context.limits.inflated_bytes_per_turn
        self._flush_due = True
        connection.begin_turn(data)
        handlers = self._handlers
        for event in connection.events():
            handlers[event.__class__](self, event)
            if counters.inflated_bytes > enough:
                break
        if self._fresh:
            for call in self._fresh:
                call.arm()
            self._fresh.clear()
        if connection.backlogged and not self.closing:
            counters.turns_cut += 1
            self._transport.pause_reading()
            self._turn_soon()
        self._flush()

    @override
    def _next_turn(self) -> None:
        super()._next_turn()
        if not self._turn_due and not self.connection.sender.paused and not self.closing:
            self._transport.resume_reading()

    def _on_request(self, event: events.RequestReceived) -> None:
        head = event.head
        if head is None:
            router = self._registry.router
            self._respond(
                event, router.trailers_only(Status.RESOURCE_EXHAUSTED, _HEADERS_TOO_LARGE)
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
        elif isinstance(route, TrailersOnly):
            self._respond(event, route.block)
        else:
            self._begin_web(event, route, bodyless=head.method == b"HEAD")

    def _begin_web(self, event: events.RequestReceived, route: object, *, bodyless: bool) -> None:
        """Begin a request that is not a gRPC call."""
        response = Http2Response(self.connection, event.stream, bodyless=bodyless)
        owner = begin(self, event.stream, response, route, event.stream.expected)
        self._fresh.append(owner)
        if event.ended:
            owner.receive_end()

    def _respond(self, event: events.RequestReceived, block: bytes) -> None:
        """Answer a request that leads to no call."""
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

    def _on_unblocked(self, event: events.StreamsUnblocked) -> None:
        self._wake(event.streams)

    def _wake(self, streams: list[Stream]) -> None:
        """Let calls go on whose data has gone out."""
        for stream in streams:
            if stream.owner is not None:
                stream.owner.unblocked()

    def _on_ping(self, _event: events.PingAcknowledged) -> None:
        self._finish_drain()

    def _on_failure(self, _event: events.ConnectionFailed) -> None:
        self._linger()

    _handlers: ClassVar[dict[type, Callable[["Http2Protocol", Any], None]]] = {
        events.RequestReceived: _on_request,
        events.DataReceived: _on_data,
        events.TrailersReceived: _on_trailers,
        events.StreamReset: _on_reset,
        events.StreamsUnblocked: _on_unblocked,
        events.PingAcknowledged: _on_ping,
        events.ConnectionFailed: _on_failure,
    }

    # Writing.

    @override
    def flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self.context.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        sender = self.connection.sender
        if self.life is _LOST:
            sender.outgoing.clear()
            return
        if sender.blocked and not sender.paused:
            self._wake(self.connection.unblock())
        cut = sender.room <= 0
        if sender.outgoing:
            self._transport.write(sender.take())
        if sender.blocked and not sender.paused:
            if cut:
                self.flush_soon()
            self._timeouts.stall()
        if self.life is _DRAINED:
            self._close_when_done()

    @override
    def request_ended(self) -> None:
        self.connection.release()

    # The timeouts' side.

    @property
    @override
    def opening_since(self) -> float | None:
        return None if self.connection.settled else self._opened_at

    @property
    @override
    def output_waits(self) -> bool:
        return self.connection.sender.paused or self.connection.sender.blocked

    @property
    @override
    def output_progress(self) -> int:
        return self.connection.sender.sent_bytes - self.unwritten_bytes

    @override
    def end_unopened(self) -> None:
        self._close(ErrorCode.SETTINGS_TIMEOUT, "no preface in time")

    @override
    def end_stalled(self) -> None:
        self._close(ErrorCode.ENHANCE_YOUR_CALM, "responses are not read")

    @override
    def end_idle(self) -> None:
        self._close(ErrorCode.NO_ERROR, "idle")

    # The end.

    @override
    def drain(self) -> None:
        if self._move(Life.DRAINING):
            self.connection.announce_drain()
            self.context.loop.call_later(self.context.limits.drain_ping_s, self._finish_drain)
            self.flush_soon()

    def _finish_drain(self) -> None:
        if self._move(Life.DRAINED):
            self.connection.drain()
            self.flush_soon()

    def _close_when_done(self) -> None:
        if not self.connection.occupied and not self.connection.streams:
            self._move(_CLOSING)
            self._half_close()
            if not self._transport.can_write_eof():
                self._transport.close()
            self._abort_later()

    @override
    def shut_down(self) -> None:
        if self.closing:
            return
        self._patience_s = 0
        self._move(Life.DRAINING)
        self._finish_drain()
        for call in self._calls():
            call.end(Status.UNAVAILABLE, "Server is shutting down")
        # Answers that the peer's windows keep back get no longer than this.
        self.context.loop.call_later(self.context.limits.linger_s, self._abandon)
        self.flush_soon()

    def _abandon(self) -> None:
        self.connection.abandon()
        self.flush_soon()

    @override
    def _turn_away(self) -> None:
        self._close(ErrorCode.NO_ERROR, "too many connections")

    def _close(self, code: ErrorCode, reason: str) -> None:
        """End the connection with GOAWAY, its calls with it."""
        if not self.closing:
            self.connection.close(code, reason)
            self._linger()
            self._flush()

    def _linger(self) -> None:
        """Drop what still comes in for a while, so that GOAWAY arrives before a TCP reset."""
        self._move(_CLOSING)
        self._reset_calls()
        self.context.loop.call_later(self.context.limits.linger_s, self._transport.abort)
        self.context.loop.call_soon(self._half_close)

    def _half_close(self) -> None:
        if self.life is not _LOST:
            self._flush()
            self._transport.resume_reading()
            self._write_eof()

    @override
    def _reset_calls(self) -> None:
        for call in self._calls():
            call.reset()
        self.connection.abandon()

    def _calls(self) -> list[StreamOwner]:
        """Return every call of the connection, those of reset streams included."""
        calls: set[StreamOwner] = {*self._running}
        for stream in self.connection.streams.values():
            if stream.owner is not None:
                calls.add(stream.owner)
        return list(calls)
