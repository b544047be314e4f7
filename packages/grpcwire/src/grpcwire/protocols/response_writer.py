"""Where a response goes, whichever HTTP version carries it.

`ResponseWriter` is all that the calls of this package know of a connection: HTTP/1.1
has its own (`http1.exchange`), the one over an HTTP/2 stream stands here.
"""

from typing import Protocol

from grpcwire.http.fields import Fields
from grpcwire.http.response import Response
from grpcwire.http2.errors import ErrorCode
from grpcwire.http2.hpack_encoder import encode_fields
from grpcwire.http2.server_connection import ServerConnection
from grpcwire.http2.streams import OVER, Stream


class ResponseWriter(Protocol):
    """The way back to one request's client."""

    @property
    def over(self) -> bool:
        """Whether nothing can be sent any more."""

    @property
    def blocked(self) -> bool:
        """Whether data waits for the peer to take it."""

    def whole(self, response: Response) -> None:
        """Send a response in one piece."""

    def head(self, status: int, fields: Fields) -> None:
        """Open a response of a length not known."""

    def data(self, data: bytes) -> None:
        """Send a piece of the body, or keep it until there is room."""

    def end(self) -> None:
        """End the body."""

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
        """Whether nothing can be sent any more."""
        return self._stream.state in OVER

    @property
    def blocked(self) -> bool:
        """Whether flow control keeps data back."""
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
