"""One request and its response on an HTTP/1.1 connection: the way out.

Writes the response's head, framed by its length where that is known, else chunked (to
HTTP/1.0, until the connection closes). A `ResponseWriter` that adds to its
connection's `outgoing`; field values were checked where they were made.
"""

from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, Protocol

from grpcwire.http.fields import Fields
from grpcwire.http.response import Response
from grpcwire.http1.head import Http1Head

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus} | {
    499: "Client Closed Request"
}
_BODYLESS: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_LAST_CHUNK: Final = b"0\r\n\r\n"
# Responses differ in their length and date; what goes before those repeats.
_REMEMBERED_HEADS: Final = 256


class Outlet(Protocol):
    """The connection, as its exchange sees it."""

    outgoing: list[bytes]
    date: bytes

    @property
    def full(self) -> bool:
        """Whether more would only wait."""

    def settle(self) -> bool:
        """Decide for good whether another request may follow this exchange."""

    def sent(self, size: int) -> None:
        """Count what was added to `outgoing`."""

    def responded(self, *, broken: bool) -> None:
        """The response is complete, or broken off."""


class Http1Response:
    """A request's record and its `ResponseWriter`; `owner` belongs to the layer above."""

    __slots__ = ("_chunked", "_head", "_outlet", "begun", "over", "owner")

    def __init__(self, outlet: Outlet, head: Http1Head) -> None:
        self._outlet = outlet
        self._head = head
        self.begun = False
        self._chunked = False
        self.over = False
        self.owner: Any = None

    @property
    def blocked(self) -> bool:
        """Whether data waits for the peer to take it."""
        return not self.over and self._outlet.full

    def whole(self, response: Response) -> None:
        """Send a response in one piece."""
        length = b""
        if response.status not in _BODYLESS:
            length = b"content-length: %d\r\n" % len(response.body)
        octets = self._opening(response.status, response.fields, length)
        if self._head.head.method != b"HEAD":
            octets += response.body
        self._outlet.outgoing.append(octets)
        self._outlet.sent(len(octets))
        self.over = True
        self._outlet.responded(broken=False)

    def head(self, status: int, fields: Fields) -> None:
        """Open a response of a length not known."""
        self._chunked = not self._head.http10
        coding = b"transfer-encoding: chunked\r\n" if self._chunked else b""
        self._send(self._opening(status, fields, coding))

    def data(self, data: bytes) -> None:
        """Send a piece of the body."""
        if data:
            self._send(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def end(self) -> None:
        """End the response."""
        if self._chunked:
            self._send(_LAST_CHUNK)
        self.over = True
        self._outlet.responded(broken=False)

    def reset(self) -> None:
        """Break the response off: the connection closes in its middle."""
        if not self.over:
            self.over = True
            self._outlet.responded(broken=True)

    def _opening(self, status: int, fields: Fields, framing: bytes) -> bytes:
        """The response's head; `framing` is the line that tells where its body ends."""
        self.begun = True
        last = b"\r\n" if self._outlet.settle() else b"connection: close\r\n\r\n"
        head = _status_and_fields(status, tuple(fields))
        return b"%b%bdate: %b\r\n%b" % (head, framing, self._outlet.date, last)

    def _send(self, octets: bytes) -> None:
        self._outlet.outgoing.append(octets)
        self._outlet.sent(len(octets))


@lru_cache(_REMEMBERED_HEADS)
def _status_and_fields(status: int, fields: tuple[tuple[bytes, bytes], ...]) -> bytes:
    phrase = _PHRASES.get(status, "").encode("ascii")
    lines = [b"HTTP/1.1 %d %b" % (status, phrase), *[b"%b: %b" % field for field in fields]]
    return b"\r\n".join(lines) + b"\r\n"
