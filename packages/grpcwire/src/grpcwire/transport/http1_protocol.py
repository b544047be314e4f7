"""The asyncio end of one HTTP/1.1 connection, which serves one request at a time.

Feeds the connection with what arrives, hands its events to the call under way, writes
what has gathered once per turn of the loop. While a response is under way reading goes
on only to learn that the client hangs up, which ends the call; the first bytes of a
pipelined request stop it until that request's turn comes.

A connection ends when its client closes it, when its last response said so, or by its
timeouts. A client that sent more than was read is read from for a while, so that the
response arrives before a reset.
"""

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from grpclib.const import Status
from typing_extensions import override

from grpcwire.http.budget import BudgetExhausted
from grpcwire.http.response import text_response
from grpcwire.http1.connection import BodyReceived, Http1Connection, RequestBegun
from grpcwire.http1.head import Http1Error
from grpcwire.protocols.web_call import begin
from grpcwire.transport.connection_protocol import REFILL_S, ConnectionProtocol, Life
from grpcwire.transport.registry import ConnectionRegistry

__all__ = ["Http1Protocol"]

_OPEN: Final = Life.OPEN
_CLOSING: Final = Life.CLOSING
_LOST: Final = Life.LOST


class Http1Protocol(ConnectionProtocol):
    """One connection; the `WebTransport` of its requests."""

    __slots__ = ("_opening_since", "_reading", "connection")

    def __init__(self, registry: ConnectionRegistry) -> None:
        super().__init__(registry)
        self.connection: Http1Connection = Http1Connection(
            self.context.limits, self.context.counters
        )
        self.connection.date = _date()
        self._reading = True
        self._opening_since: float | None = self.last_active

    # Asyncio's calls.

    @override
    def eof_received(self) -> bool:
        # The client is gone: a call under way has nobody to answer.
        if self._move(_CLOSING):
            self._reset_response()
            self._flush()
        return False

    @override
    def pause_writing(self) -> None:
        # The peer does not read, or not fast enough: nothing more is produced.
        self.connection.paused = True
        self._timeouts.stall()

    @override
    def resume_writing(self) -> None:
        self.connection.paused = False
        self._timeouts.moved()
        self.flush_soon()

    # A turn.

    @override
    def _take_turn(self, data: bytes) -> None:
        connection = self.connection
        now = self.last_active
        if now - self._refilled > REFILL_S:
            self._refill(connection.budget)
            connection.date = _date()
        connection.begin_turn(data)
        self._flush_due = True
        try:
            for event in connection.events():
                if isinstance(event, RequestBegun):
                    self._on_request(event)
                else:
                    self._on_body(event)
        except Http1Error as error:
            self._fail(error)
        except BudgetExhausted as error:
            self._fail(Http1Error(HTTPStatus.TOO_MANY_REQUESTS, str(error)))
        self._flush_due = False
        for call in self._fresh:
            call.arm()
        self._fresh.clear()
        if connection.outgoing or connection.over or self.life is not _OPEN:
            self._flush()
        self._after_turn(now)

    def _after_turn(self, now: float) -> None:
        """Decide what is waited for: more bytes, the next turn, the call."""
        connection = self.connection
        if self.closing:
            return
        if self._reading and not connection.unused:
            self._opening_since = None
            return
        if connection.backlogged and not connection.paused:
            self.context.counters.turns_cut += 1
            self._turn_soon()
        if not connection.in_head:
            self._opening_since = None
        elif self._opening_since is None:
            self._opening_since = now
            self._timeouts.look_within(self.context.limits.preface_s)
        self._regulate()

    def _regulate(self) -> None:
        """Read where more bytes are of use."""
        reading = self.connection.wants_more and not self._turn_due
        if reading is self._reading or self.closing:
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
        self._fresh.append(owner)
        if event.body:
            owner.receive_data(event.body, 0, ended=True)
        elif event.ended:
            owner.receive_end()

    def _on_body(self, event: BodyReceived) -> None:
        owner = event.response.owner
        if owner is not None:
            owner.receive_data(event.data, len(event.data), ended=event.ended)

    def _reset_response(self) -> None:
        """End the request under way without telling anybody."""
        response = self.connection.response
        if response is not None and response.owner is not None:
            response.owner.reset()

    @override
    def _reset_calls(self) -> None:
        self._reset_response()
        for call in list(self._running):
            call.reset()

    # Writing.

    @override
    def flush_soon(self) -> None:
        # A complete response is written at once: nothing will join it.
        if self._flush_due:
            return
        if self.connection.response is None:
            self._flush_and_go_on()
        else:
            self._flush_due = True
            self.context.loop.call_soon(self._flush_and_go_on)

    def _flush_and_go_on(self) -> None:
        self._flush_due = False
        self._flush()
        if self.closing:
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
        if self.life is _LOST:
            connection.outgoing.clear()
            return
        if connection.outgoing:
            self._transport.write(connection.take())
        response = connection.response
        if response is not None and response.owner is not None and not connection.full:
            response.owner.unblocked()
        if self.closing:
            return
        if connection.over and connection.unused:
            self._linger()
        elif connection.over or (self.life is not _OPEN and connection.idle):
            self._close()

    @override
    def request_ended(self) -> None:
        # Its response was the last to move something.
        self.last_active = self.context.loop.time()

    # The timeouts' side.

    @property
    @override
    def opening_since(self) -> float | None:
        return self._opening_since

    @property
    @override
    def output_waits(self) -> bool:
        return self.connection.paused

    @property
    @override
    def output_progress(self) -> int:
        return -self.unwritten_bytes

    @override
    def end_unopened(self) -> None:
        # Said where a request has begun.
        if self.connection.in_head:
            self._fail(Http1Error(HTTPStatus.REQUEST_TIMEOUT, "request does not come"))
        else:
            self._close()
        self._flush()

    @override
    def end_stalled(self) -> None:
        self._move(_CLOSING)
        self._transport.abort()

    @override
    def end_idle(self) -> None:
        self.shut_down()

    # The end.

    @override
    def drain(self) -> None:
        # At once where there is no response under way.
        if self._move(Life.DRAINING):
            self.connection.draining = True
            self.flush_soon()

    @override
    def shut_down(self) -> None:
        self._patience_s = 0
        if self.closing:
            return
        self.drain()
        response = self.connection.response
        if response is not None and response.owner is not None:
            response.owner.end(Status.UNAVAILABLE, "Server is shutting down")
        for call in list(self._running):
            call.end(Status.UNAVAILABLE, "Server is shutting down")
        if not self.closing:
            self._flush()
        if not self.closing:
            self._close()

    @override
    def _turn_away(self) -> None:
        self._fail(Http1Error(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections"))

    def _fail(self, error: Http1Error) -> None:
        """Tell a peer that broke the protocol, where that is still possible."""
        under_way = self.connection.response
        self._reset_response()
        response = self.connection.fail()
        if under_way is None or not under_way.begun:
            response.whole(text_response(HTTPStatus(error.status), str(error)))
        self.flush_soon()

    def _linger(self) -> None:
        """Drop what still comes in for a while, so that the response arrives before a reset."""
        self._move(_CLOSING)
        self._reset_response()
        if not self._reading:
            self._transport.resume_reading()
        self._write_eof()
        self._abort_later()

    def _close(self) -> None:
        self._move(_CLOSING)
        self._transport.close()
        self._abort_later()


_dates: dict[int, bytes] = {}


def _date() -> bytes:
    """Return the Date of a response, made once a second."""
    now = int(time.time())
    date = _dates.get(now)
    if date is None:
        _dates.clear()
        date = _dates[now] = formatdate(now, usegmt=True).encode("ascii")
    return date
