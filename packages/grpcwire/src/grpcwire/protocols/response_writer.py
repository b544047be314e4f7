"""The way of a response to its client, whichever version of HTTP carries it.

`ResponseWriter` is all that the calls of `web_call` know of a connection. HTTP/1.1's
is `http1.response.Http1Response`; the one over an HTTP/2 stream stands here.
"""

from abc import abstractmethod
from typing import Protocol

from grpcwire.http.fields import Fields
from grpcwire.http.response import Response
from grpcwire.http2.errors import ErrorCode
from grpcwire.http2.hpack_encoder import encode_fields
from grpcwire.http2.server_connection import ServerConnection
from grpcwire.http2.streams import OVER, Stream

__all__ = ["Http2Response", "ResponseWriter"]


class ResponseWriter(Protocol):
    """The way back to one request's client."""

    @property
    @abstractmethod
    def over(self) -> bool:
        """True if nothing can be sent any more."""

    @property
    @abstractmethod
    def blocked(self) -> bool:
        """True while data waits for the peer to take it."""

    @abstractmethod
    def whole(self, response: Response) -> None:
        """Send a response in one piece."""

    @abstractmethod
    def head(self, status: int, fields: Fields) -> None:
        """Open a response of a length not known."""

    @abstractmethod
    def data(self, data: bytes) -> None:
        """Send a piece of the body, or keep it until there is room."""

    @abstractmethod
    def end(self) -> None:
        """End the body."""

    @abstractmethod
    def reset(self) -> None:
        """End the response so that the client sees it broken off."""


class Http2Response:
    """The response on an HTTP/2 stream."""

    __slots__ = ("_bodyless", "_connection", "_stream")

    def __init__(
        self, connection: ServerConnection, stream: Stream, *, bodyless: bool = False
    ) -> None:
        """`bodyless` is the response to HEAD: what GET would get, but for the body."""
        self._bodyless = bodyless
        self._connection = connection
        self._stream = stream

    @property
    def over(self) -> bool:
        """True if nothing can be sent any more."""
        return self._stream.state in OVER

    @property
    def blocked(self) -> bool:
        """True while flow control keeps data back."""
        return self._stream.unsent is not None

    def whole(self, response: Response) -> None:
        """Send a response in one piece."""
        length = (b"content-length", b"%d" % len(response.body))
        fields = [*response.fields, length] if response.body else response.fields
        if self._bodyless or not response.body:
            self._connection.send_headers_only(self._stream, _block(response.status, fields))
            return
        self.head(response.status, fields)
        self.data(response.body)
        self.end()

    def head(self, status: int, fields: Fields) -> None:
        """Open a response of a length not known."""
        self._connection.send_headers(self._stream, _block(status, fields))

    def data(self, data: bytes) -> None:
        """Send DATA, or keep it until there is room."""
        self._connection.send_data(self._stream, data)

    def end(self) -> None:
        """End the body, once all of it is out."""
        self._connection.send_trailers(self._stream, b"")

    def reset(self) -> None:
        """End the stream by RST_STREAM."""
        self._connection.reset(self._stream, ErrorCode.CANCEL)


def _block(status: int, fields: Fields) -> bytes:
    return encode_fields([(b":status", b"%d" % status), *fields])
