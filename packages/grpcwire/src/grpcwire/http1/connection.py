"""The HTTP/1.1 server side of one connection, synchronous and without I/O.

Octets go in by `begin_turn`, events come back by `events`, octets to write gather in
`outgoing`. One request at a time: what a client pipelines behind it stays in the
buffer until its response is complete, and the caller stops reading meanwhile. What
one turn may cost is bounded in units of `Limits.frames_per_turn`; `backlogged` says
that more waits. Nothing of gRPC or Connect lives here.

A head that comes again octet for octet is not parsed again. The look-up equals the
parsing it skips: proven by `test_http1_connection.py::test_repeated_heads_equal_parsed_ones`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import h11

from grpcwire.counters import Counters
from grpcwire.http.budget import Budget
from grpcwire.http1.head import Http1Error, Http1Head, parse
from grpcwire.http1.response import Http1Response
from grpcwire.limits import Limits

_END_OF_HEAD: Final = b"\r\n\r\n"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# Work in units of a frame: what h11 takes to parse a head, a look-up, a chunk.
_PARSING: Final = 16
_LOOKING_UP: Final = 2
# Data below this that does not end a body is work without worth, as in HTTP/2.
_TINY_BYTES: Final = 16
# Several times a socket buffer's worth, as in HTTP/2.
_TURN_BYTES: Final = 256 * 1024


@dataclass(slots=True)
class RequestBegun:
    """A new request with its checked head, and its body where all of it came along."""

    response: Http1Response
    head: Http1Head
    ended: bool
    body: bytes


@dataclass(slots=True)
class BodyReceived:
    """A piece of the request's body, or its end."""

    response: Http1Response
    data: bytes
    ended: bool


class Http1Connection:
    """One connection's protocol state; the `Outlet` of its exchanges."""

    __slots__ = (
        "_buffer",
        "_counters",
        "_decoder",
        "_expected",
        "_expects_continue",
        "_fed",
        "_head_scanned",
        "_heads",
        "_keep_alive",
        "_limits",
        "_work",
        "budget",
        "date",
        "draining",
        "outgoing",
        "over",
        "paused",
        "pending_bytes",
        "receiving",
        "response",
        "unread_bytes",
    )

    def __init__(self, limits: Limits, counters: Counters) -> None:
        self._limits = limits
        self._counters = counters
        self._buffer = bytearray()
        self._head_scanned = 0
        self._heads: dict[bytes, Http1Head] = {}
        self._decoder: h11.Connection | None = None
        self._fed = bytearray()  # what the decoder may not have used, and what ends before it
        self._expected = 0
        self._expects_continue = False
        self._keep_alive = True
        self._work = 0
        self.budget = Budget(limits.budget, counters)
        self.date = b""
        self.draining = False  # this exchange is the last
        self.response: Http1Response | None = None  # from its head until its response is complete
        self.receiving = False  # its request is not complete
        self.outgoing: list[bytes] = []
        self.pending_bytes = 0  # in outgoing
        self.paused = False  # the transport takes no more
        self.over = False  # nothing more is read
        self.unread_bytes = 0  # of the body: given out, not credited

    # ---- what the layer above asks for

    @property
    def backlogged(self) -> bool:
        """Whether the turn ended before the octets did."""
        return self._work >= self._limits.frames_per_turn and not self.over

    @property
    def idle(self) -> bool:
        """Whether no request has begun."""
        return self.response is None and not self._buffer

    @property
    def unused(self) -> bool:
        """Whether the peer sent, or is to send, what nobody reads."""
        return self.receiving or bool(self._buffer)

    @property
    def in_head(self) -> bool:
        """Whether a request's head is waited for that has begun and is not complete."""
        return self.response is None and bool(self._buffer) and not self.paused

    @property
    def wants_more(self) -> bool:
        """Whether more octets may come: not while others wait to be used."""
        if self.over:
            return False
        if self.receiving:
            return self.unread_bytes <= self._limits.stream_window_bytes
        return not self._buffer or (self.response is None and not self.paused)

    @property
    def full(self) -> bool:
        """Whether more output would only wait."""
        return self.paused or self.pending_bytes > _TURN_BYTES

    def settle(self) -> bool:
        """Decide whether another request may follow: not behind a body that nobody reads."""
        if self.draining or self.receiving:
            self._keep_alive = False
        return self._keep_alive

    def begin_turn(self, data: bytes = b"") -> None:
        """Take octets, if any came, and allow the work of one more turn."""
        self._buffer += data
        self._work = 0

    def take(self) -> bytes:
        """Everything that is to be written now, as one piece."""
        data = b"".join(self.outgoing)
        self.outgoing.clear()
        self.pending_bytes = 0
        return data

    def sent(self, size: int) -> None:
        """Count what was added to `outgoing`."""
        self.pending_bytes += size

    def credit(self, stream: Any, size: int) -> None:
        """Body was read: as much again may come."""
        if stream is self.response:
            self.unread_bytes -= size

    def responded(self, *, broken: bool) -> None:
        """The response is complete, or broken off: the next request may begin."""
        if broken or not self.settle():
            self.over = True
        self.response = None
        self.unread_bytes = 0

    def fail(self) -> Http1Response:
        """Read nothing more; an exchange to say why in."""
        self.over = True
        self._keep_alive = False
        self._counters.connection_errors += 1
        return Http1Response(self, _FAULTY)

    # ---- what came

    def events(self) -> Iterator[RequestBegun | BodyReceived]:
        """Yield the events of this turn, each before the bytes behind it are looked at.

        Raises Http1Error for bytes that are not HTTP/1.1, BudgetExhausted where the peer's
        budget is overdrawn.
        """
        allowed = self._limits.frames_per_turn
        while self._work < allowed and not self.over:
            event: RequestBegun | BodyReceived | None
            if self.receiving:
                event = self._next_body()
            elif self.response is None and not self.paused and self._buffer:
                event = self._next_head()
            else:
                return  # a peer that does not read gets no more to read
            if event is None:
                return
            yield event

    def _next_head(self) -> RequestBegun | None:
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # RFC 9112, section 2.2
            del buffer[:2]
            self._work += 1
            self.budget.charge("empty lines")
        end = buffer.find(_END_OF_HEAD, self._head_scanned)
        size = len(buffer) if end < 0 else end
        if size > self._limits.header_list_bytes:
            self._counters.header_list_too_large += 1
            raise Http1Error(431, "header list is larger than the limit")
        if end < 0:
            if buffer.find(b"\n\n", self._head_scanned) >= 0:
                raise Http1Error(400, "malformed line ends")
            self._head_scanned = max(0, size - len(_END_OF_HEAD) + 1)
            return None
        self._head_scanned = 0
        octets = bytes(buffer[: end + len(_END_OF_HEAD)])
        del buffer[: len(octets)]
        head = self._heads.get(octets) or self._parsed(octets)
        self._work += _LOOKING_UP
        return self._begun(head)

    def _parsed(self, octets: bytes) -> Http1Head:
        self._work += _PARSING
        head = parse(octets)
        limits = self._limits
        if head.decoder is None and len(octets) <= limits.cached_header_block_bytes:
            if len(self._heads) >= limits.cached_header_blocks:
                self._heads.clear()
            self._heads[octets] = head
        return head

    def _begun(self, head: Http1Head) -> RequestBegun:
        self._keep_alive = head.keep_alive
        self.response = response = Http1Response(self, head)
        size = head.head.content_length
        if 0 < size <= len(self._buffer):
            body = bytes(self._buffer[:size])
            del self._buffer[:size]
            return RequestBegun(response, head, ended=True, body=body)
        self._decoder = head.decoder
        self._expected = max(0, size)
        self.receiving = self._decoder is not None or self._expected > 0
        self._expects_continue = head.expects_continue and self.receiving
        return RequestBegun(response, head, ended=not self.receiving, body=b"")

    def _next_body(self) -> BodyReceived | None:
        if not self._buffer and self._expects_continue:
            self._expects_continue = False
            if self.response is not None and not self.response.begun:
                self.outgoing.append(_CONTINUE)
        if self._decoder is not None:
            data, ended = self._chunks(self._decoder)
        else:
            data = bytes(self._buffer[: self._expected])
            del self._buffer[: len(data)]
            self._work += 1
            self._expected -= len(data)
            ended = not self._expected
        if not data and not ended:
            return None
        if not ended and len(data) < _TINY_BYTES:
            self.budget.charge("tiny pieces of a body")
        self.receiving = not ended
        response = self.response
        if response is None:  # answered before its request was complete
            return None
        self.unread_bytes += len(data)
        return BodyReceived(response, data, ended)

    def _chunks(self, decoder: h11.Connection) -> tuple[bytes, bool]:
        """What chunks hold, as far as they came and the turn reaches."""
        if self._buffer:
            decoder.receive_data(bytes(self._buffer))
            self._fed += self._buffer
            self._buffer.clear()
        pieces: list[bytes] = []
        while not self.backlogged:
            self._work += 1
            try:
                event = decoder.next_event()
            except h11.RemoteProtocolError as error:
                raise Http1Error(error.error_status_hint, "malformed chunks") from None
            if isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
                if len(event.data) < _TINY_BYTES:
                    self.budget.charge("tiny chunks")
                continue
            if isinstance(event, h11.EndOfMessage):
                self._decoder = None
                self._buffer += self._after_chunks(decoder)
                return b"".join(pieces), True
            del self._fed[: -len(_END_OF_HEAD)]
            break
        return b"".join(pieces), False

    def _after_chunks(self, decoder: h11.Connection) -> bytes:
        """What follows the body: h11 lets a bare LF end it, which others read on behind."""
        rest = decoder.trailing_data[0]
        whole = self._fed.endswith(_END_OF_HEAD, 0, len(self._fed) - len(rest))
        self._fed.clear()
        if not whole:
            raise Http1Error(400, "malformed line ends")
        return rest


_FAULTY: Final = parse(b"GET / HTTP/1.1\r\nhost: unknown\r\nconnection: close\r\n\r\n")
