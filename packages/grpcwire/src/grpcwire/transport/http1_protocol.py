"""The asyncio end of one HTTP/1.1 connection: octets in, octets out, timers.

What `http2_protocol` is for HTTP/2, with one request at a time: feeds the connection
what arrives, hands its events to the call under way, writes what has gathered once
per turn of the loop. While a response is under way reading goes on only to learn
that the client hangs up, which ends the call; the first octets of a pipelined
request stop it until that request's turn comes.
"""

import asyncio
import time
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, cast

from grpclib.const import Status

from grpcwire.calls.peer import Peer
from grpcwire.calls.stream_owner import StreamOwner
from grpcwire.http.budget import BudgetExhausted
from grpcwire.http.response import text_response
from grpcwire.http1.connection import BodyReceived, Http1Connection, RequestBegun
from grpcwire.http1.head import Http1Error
from grpcwire.protocols.web_call import begin
from grpcwire.transport.http1_timeouts import Http1Timeouts
from grpcwire.transport.registry import ConnectionRegistry

# Budgets are refilled, and the Date of responses told, in steps of at least this.
_REFILL_S: Final = 0.05


class Http1Protocol(asyncio.Protocol):
    """One connection; the `WebTransport` of its requests."""

    __slots__ = (
        "_closing",
        "_draining",
        "_flush_due",
        "_fresh",
        "_hurried",
        "_in_turn",
        "_lost",
        "_reading",
        "_refilled",
        "_registry",
        "_running",
        "_timeouts",
        "_transport",
        "_turn_due",
        "buffered_bytes",
        "connection",
        "context",
        "last_active",
        "peer",
        "stalled_since",
        "waiting_since",
    )

    _transport: asyncio.Transport
    peer: Peer

    def __init__(self, registry: ConnectionRegistry) -> None:
        context = registry.context
        self._registry = registry
        self.context = context
        self.connection: Http1Connection = Http1Connection(context.limits, context.counters)
        self.connection.date = _date()
        self.buffered_bytes = 0
        self._running: set[StreamOwner] = set()
        self._fresh: StreamOwner | None = None  # begun in this turn, clock not started
        self._in_turn = False
        self._flush_due = False
        self._turn_due = False
        self._reading = True
        self._closing = False
        self._draining = False
        self._hurried = False  # nobody is waited for any more
        self._lost = False
        self.last_active = self._refilled = context.loop.time()
        self.waiting_since: float | None = self.last_active  # for a head to be complete
        self.stalled_since: float | None = None  # output waits for the peer
        self._timeouts = Http1Timeouts(self)

    # ---- asyncio's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or send the peer away where there are too many already."""
        # uvloop's transports are none of asyncio's classes, only alike.
        self._transport = transport = cast("asyncio.Transport", transport)
        self.peer = Peer(transport)
        transport.set_write_buffer_limits(high=self.context.limits.write_buffer_bytes)
        if not self._registry.connected(self):
            self._fail(Http1Error(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections"))
            return
        self._timeouts.start()

    def data_received(self, data: bytes) -> None:
        """Handle what came, now or as far as this turn allows."""
        if self._closing:
            return
        self.last_active = self.context.loop.time()
        self._take_turn(data)

    def eof_received(self) -> bool:
        """Take it for a client that is gone: a call under way has nobody to answer."""
        if not self._closing:
            self._closing = True
            self._reset_owner()
            self._flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End the call of a peer that is gone."""
        self._lost = self._closing = True
        self._timeouts.stop()
        self._reset_owner()
        for call in list(self._running):
            call.reset()
        self._report_end()

    def pause_writing(self) -> None:
        """Stop producing: the peer does not read, or not fast enough."""
        self.connection.paused = True
        self.stalled_since = self.context.loop.time()
        self._timeouts.stall()

    def resume_writing(self) -> None:
        """Go on producing."""
        self.connection.paused = False
        self.stalled_since = None
        self.flush_soon()

    # ---- a turn

    def _take_turn(self, data: bytes = b"") -> None:
        connection = self.connection
        now = self.last_active
        if now - self._refilled > _REFILL_S:
            connection.budget.earn((now - self._refilled) * self.context.limits.budget_per_s)
            self._refilled = now
            connection.date = _date()
        connection.begin_turn(data)
        self._in_turn = True
        try:
            while (event := connection.next_event()) is not None:
                if isinstance(event, RequestBegun):
                    self._on_request(event)
                else:
                    self._on_body(event)
        except Http1Error as error:
            self._fail(error)
        except BudgetExhausted as error:
            self._fail(Http1Error(HTTPStatus.TOO_MANY_REQUESTS, str(error)))
        self._in_turn = False
        if self._fresh is not None:
            self._fresh.arm()
            self._fresh = None
        if connection.outgoing or connection.over or self._draining:
            self._flush()
        self._after_turn(now)

    def _after_turn(self, now: float) -> None:
        """Decide what is waited for: more octets, the next turn, the call."""
        connection = self.connection
        if self._closing:
            return
        if self._reading and not connection.unused:
            self.waiting_since = None
            return
        if connection.backlogged and not connection.paused:
            self.context.counters.turns_cut += 1
            self._turn_soon()
        if not connection.in_head:
            self.waiting_since = None
        elif self.waiting_since is None:
            self.waiting_since = now
            self._timeouts.look_within(self.context.limits.preface_s)
        self._regulate()

    def _turn_soon(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self.context.loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._turn_due = False
        if not self._closing:
            self.last_active = self.context.loop.time()
            self._take_turn()

    def _regulate(self) -> None:
        """Read where more octets are of use."""
        reading = self.connection.wants_more and not self._turn_due
        if reading is self._reading or self._closing:
            return
        self._reading = reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _on_request(self, event: RequestBegun) -> None:
        head = event.head.head
        route = head.route
        if route is None:
            route = head.route = self._registry.router.route(head, http1=True)
        response = event.response
        owner = begin(self, response, response, route, head.content_length)
        self._fresh = owner
        if event.body:
            owner.receive_data(event.body, 0, ended=True)
        elif event.ended:
            owner.receive_end()

    def _on_body(self, event: BodyReceived) -> None:
        owner = event.response.owner
        if owner is not None:
            owner.receive_data(event.data, len(event.data), ended=event.ended)

    def _reset_owner(self) -> None:
        response = self.connection.response
        if response is not None and response.owner is not None:
            response.owner.reset()

    # ---- writing

    def flush_soon(self) -> None:
        """Write what has gathered, in this turn of the loop or the next.

        A complete response is written at once: nothing will join it.
        """
        if self._in_turn:
            return
        if self.connection.response is None:
            self._flush_and_go_on()
        elif not self._flush_due:
            self._flush_due = True
            self.context.loop.call_soon(self._flush_and_go_on)

    def _flush_and_go_on(self) -> None:
        self._flush_due = False
        self._flush()
        if self._closing:
            return
        connection = self.connection
        if self._reading and not connection.unused:
            return
        if connection.response is None and not connection.idle:
            self._turn_soon()  # a pipelined request's turn has come
        elif connection.receiving:
            self._turn_soon()  # reading may have made room for more of the body
        self._regulate()

    def _flush(self) -> None:
        connection = self.connection
        if self._lost:
            connection.outgoing.clear()
            return
        if connection.outgoing:
            self._transport.write(connection.take())
        response = connection.response
        if response is not None and response.owner is not None and not connection.full:
            response.owner.unblocked()
        if self._closing:
            return
        if connection.over and connection.unused:
            self._linger()
        elif connection.over or (self._draining and connection.idle):
            self._close()

    @property
    def working(self) -> bool:
        """Whether a handler is at work."""
        return bool(self._running)

    @property
    def closing(self) -> bool:
        """Whether the end has begun: nothing is read any more."""
        return self._closing

    def call_started(self, call: StreamOwner) -> None:
        """Keep a call whose handler waits."""
        self._running.add(call)

    def call_ended(self, call: StreamOwner) -> None:
        """Forget a call; the next request may be there already."""
        self._running.discard(call)
        self.answer_ended()
        if self._lost:
            self._report_end()

    def answer_ended(self) -> None:
        """Note that a request is over; its response was the last to move something."""
        self.last_active = self.context.loop.time()

    # ---- the end

    def drain(self) -> None:
        """Finish the response under way, then close; at once where there is none."""
        if self._draining or self._closing:
            return
        self._draining = self.connection.draining = True
        self.flush_soon()

    def shut_down(self) -> None:
        """End now: the call is told UNAVAILABLE, its handler cancelled."""
        self._hurried = True
        if self._closing:
            return
        self.drain()
        response = self.connection.response
        if response is not None and response.owner is not None:
            response.owner.end(Status.UNAVAILABLE, "Server is shutting down")
        for call in list(self._running):
            call.end(Status.UNAVAILABLE, "Server is shutting down")
        if not self._closing:
            self._flush()
        if not self._closing:
            self._close()

    def time_out(self) -> None:
        """End a connection whose request does not come; said where it has begun."""
        if self.connection.in_head:
            self._fail(Http1Error(HTTPStatus.REQUEST_TIMEOUT, "request does not come"))
        else:
            self._close()
        self._flush()

    @property
    def unwritten_bytes(self) -> int:
        """What waits for the peer to take it."""
        return self._transport.get_write_buffer_size()

    def cut_off(self) -> None:
        """End at once, whatever the peer has not read."""
        self._closing = True
        self._transport.abort()

    def _fail(self, error: Http1Error) -> None:
        """Tell a peer that broke the protocol, where that is still possible."""
        begun = self.connection.response
        self._reset_owner()
        response = self.connection.fail()
        if begun is None or not begun.begun:
            response.whole(text_response(HTTPStatus(error.status), str(error)))
        self.flush_soon()

    def _linger(self) -> None:
        """Drop what still comes in for a while, so that the response arrives before a reset."""
        self._closing = True
        self._reset_owner()
        if not self._reading:
            self._transport.resume_reading()
        if self._transport.can_write_eof():
            with suppress(OSError):  # the peer may be gone already
                self._transport.write_eof()
        self._abort_later()

    def _close(self) -> None:
        self._closing = True
        self._transport.close()
        self._abort_later()

    def _abort_later(self) -> None:
        """Wait for the peer to close too, as long as it takes what waits for it."""
        limits, loop = self.context.limits, self.context.loop
        self._timeouts.took_some()
        latest = loop.time() + limits.stalled_write_s

        def look() -> None:
            nonlocal latest
            if self._lost:
                return
            if self._timeouts.took_some():
                latest = loop.time() + limits.stalled_write_s
            if self.unwritten_bytes and loop.time() < latest and not self._hurried:
                loop.call_later(limits.linger_s, look)
            else:
                self._transport.abort()

        loop.call_later(limits.linger_s, look)

    def _report_end(self) -> None:
        if not self._running:
            self._registry.disconnected(self)


_dates: dict[int, bytes] = {}


def _date() -> bytes:
    """The Date of a response, made once a second."""
    now = int(time.time())
    date = _dates.get(now)
    if date is None:
        _dates.clear()
        date = _dates[now] = formatdate(now, usegmt=True).encode("ascii")
    return date
