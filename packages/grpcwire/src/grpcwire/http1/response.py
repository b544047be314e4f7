"""The response to one request on an HTTP/1.1 connection.

Writes the response's head, framed by its length where that is known, else chunked (to
HTTP/1.0, until the connection closes). Fits `protocols.response_writer.ResponseWriter`,
and adds to its connection's `outgoing`; field values were checked where they were made.
"""

from abc import abstractmethod
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, Protocol

from grpcwire.http.fields import Fields
from grpcwire.http.response import Response
from grpcwire.http1.head import Http1Head

__all__ = ["Http1Response", "Outlet"]

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus} | {
    499: "Client Closed Request"
}
_BODYLESS: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
"""Statuses whose responses have no body, and no content-length either."""
_LAST_CHUNK: Final = b"0\r\n\r\n"
_REMEMBERED_HEADS: Final = 256
"""Beginnings of heads that are kept: responses differ only in their length and date."""


class Outlet(Protocol):
    """The connection, as its responses see it."""

    outgoing: list[bytes]
    """Pieces to be written, in order."""
    date: bytes
    """The value of the Date header."""

    @property
    @abstractmethod
    def full(self) -> bool:
        """True while more output would only wait."""

    @abstractmethod
    def settle(self) -> bool:
        """Decide for good if another request may follow this response."""

    @abstractmethod
    def sent(self, size: int) -> None:
        """Count what was added to `outgoing`."""

    @abstractmethod
    def responded(self, *, broken: bool) -> None:
        """Go on to the next request: the response is complete, or broken off."""


class Http1Response:
    """A request's record and its response; `owner` belongs to the layer above."""

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
        """True while data waits for the peer to take it."""
        return not self.over and self._outlet.full

    def whole(self, response: Response) -> None:
        """Send a response in one piece."""
        length = b""
        if response.status not in _BODYLESS:
            length = b"content-length: %d\r\n" % len(response.body)
        data = self._opening(response.status, response.fields, length)
        if self._head.head.method != b"HEAD":
            data += response.body
        self._outlet.outgoing.append(data)
        self._outlet.sent(len(data))
        self.over = True
        self._outlet.responded(broken=False)

    def head(self, status: int, fields: Fields) -> None:
        """Open a response of unknown length."""
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
        """The response's head; `framing` is the line that tells the end of its body."""
        self.begun = True
        last = b"\r\n" if self._outlet.settle() else b"connection: close\r\n\r\n"
        head = _status_and_fields(status, tuple(fields))
        return b"%b%bdate: %b\r\n%b" % (head, framing, self._outlet.date, last)

    def _send(self, data: bytes) -> None:
        self._outlet.outgoing.append(data)
        self._outlet.sent(len(data))


@lru_cache(_REMEMBERED_HEADS)
def _status_and_fields(status: int, fields: tuple[tuple[bytes, bytes], ...]) -> bytes:
    phrase = _PHRASES.get(status, "").encode("ascii")
    lines = [b"HTTP/1.1 %d %b" % (status, phrase), *[b"%b: %b" % field for field in fields]]
    return b"\r\n".join(lines) + b"\r\n"
