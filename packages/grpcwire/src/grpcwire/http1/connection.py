"""The HTTP/1.1 server side of one connection, synchronous and without I/O.

Bytes go in by `begin_turn`, events come back by `events`, bytes to write gather in
`outgoing`. One request at a time: a request that a client pipelines behind it stays in
the buffer until its response is complete, and the caller stops reading meanwhile. The
work of one turn is bounded in units of `Limits.frames_per_turn`; `backlogged` says that
more waits. Nothing of gRPC or Connect lives here. Called by
`grpcwire.transport.http1_protocol` only.

A head that comes again byte for byte is not parsed again. The look-up equals the
parsing it skips: proven by `test_http1_connection.py::test_repeated_heads_equal_parsed_ones`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import h11

from grpcwire.counters import Counters
from grpcwire.http.budget import TINY_BYTES, Budget
from grpcwire.http1.head import Http1Error, Http1Head, parse
from grpcwire.http1.response import Http1Response
from grpcwire.limits import Limits

__all__ = ["BodyReceived", "Http1Connection", "RequestBegun"]

_END_OF_HEAD: Final = b"\r\n\r\n"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_PARSING: Final = 16
"""The work of parsing a head, in units of a frame."""
_LOOKING_UP: Final = 2
"""The work of looking a head up, in units of a frame; a chunk is one."""
_TURN_BYTES: Final = 256 * 1024
"""Bytes of output that one turn may gather: several times a socket buffer's worth."""


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
    """One connection's protocol state; the `Outlet` of its responses."""

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
        self._fed = bytearray()  # given to the decoder, which may not have used it all
        self._expected = 0
        self._expects_continue = False
        self._keep_alive = True
        self._work = 0
        self.budget = Budget(limits.budget, counters)
        self.date = b""
        self.draining = False  # this request is the last
        self.response: Http1Response | None = None  # from its head until its response is complete
        self.receiving = False  # its request is not complete
        self.outgoing: list[bytes] = []
        self.pending_bytes = 0  # of outgoing
        self.paused = False  # the transport takes no more
        self.over = False  # nothing more is read
        self.unread_bytes = 0  # of the body: given out, not credited

    # Questions of the layer above.

    @property
    def backlogged(self) -> bool:
        """True if the turn ended before the bytes that came were used up."""
        return self._work >= self._limits.frames_per_turn and not self.over

    @property
    def idle(self) -> bool:
        """True while no request has begun."""
        return self.response is None and not self._buffer

    @property
    def unused(self) -> bool:
        """True if the peer sent, or is to send, bytes that nobody reads."""
        return self.receiving or bool(self._buffer)

    @property
    def in_head(self) -> bool:
        """True while a request's head has begun and is not complete."""
        return self.response is None and bool(self._buffer) and not self.paused

    @property
    def wants_more(self) -> bool:
        """True while more bytes may come: not while others wait to be used."""
        if self.over:
            return False
        if self.receiving:
            return self.unread_bytes <= self._limits.stream_window_bytes
        return not self._buffer or (self.response is None and not self.paused)

    @property
    def full(self) -> bool:
        """True while more output would only wait."""
        return self.paused or self.pending_bytes > _TURN_BYTES

    def settle(self) -> bool:
        """Decide if another request may follow: not behind a body that nobody reads."""
        if self.draining or self.receiving:
            self._keep_alive = False
        return self._keep_alive

    def begin_turn(self, data: bytes = b"") -> None:
        """Take the bytes that came, if any, and allow the work of one more turn."""
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
        """Go on to the next request: the response is complete, or broken off."""
        if broken or not self.settle():
            self.over = True
        self.response = None
        self.unread_bytes = 0

    def fail(self) -> Http1Response:
        """Read nothing more; return a response to tell the peer the reason."""
        self.over = True
        self._keep_alive = False
        self._counters.connection_errors += 1
        return Http1Response(self, _UNREADABLE)

    # Events.

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
        data = bytes(buffer[: end + len(_END_OF_HEAD)])
        del buffer[: len(data)]
        head = self._heads.get(data) or self._parsed(data)
        self._work += _LOOKING_UP
        return self._begun(head)

    def _parsed(self, data: bytes) -> Http1Head:
        self._work += _PARSING
        head = parse(data)
        limits = self._limits
        if head.decoder is None and len(data) <= limits.cached_header_block_bytes:
            if len(self._heads) >= limits.cached_header_blocks:
                self._heads.clear()
            self._heads[data] = head
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
        if not ended and len(data) < TINY_BYTES:
            self.budget.charge("tiny pieces of a body")
        self.receiving = not ended
        response = self.response
        if response is None:  # answered before its request was complete
            return None
        self.unread_bytes += len(data)
        return BodyReceived(response, data, ended)

    def _chunks(self, decoder: h11.Connection) -> tuple[bytes, bool]:
        """The data of the chunks that came, as far as the turn reaches, and if it is the end."""
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
                if len(event.data) < TINY_BYTES:
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
        """The bytes behind the body; raises Http1Error where a bare LF ends it, as h11 allows."""
        rest = decoder.trailing_data[0]
        whole = self._fed.endswith(_END_OF_HEAD, 0, len(self._fed) - len(rest))
        self._fed.clear()
        if not whole:
            raise Http1Error(400, "malformed line ends")
        return rest


_UNREADABLE: Final = parse(b"GET / HTTP/1.1\r\nhost: unknown\r\nconnection: close\r\n\r\n")
"""The head that stands for one that could not be read."""
