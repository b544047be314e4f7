"""A gRPC call on an HTTP/2 stream: messages in envelopes, the status in the trailers.

The sending half of a `ServerCall`, with gRPC's header blocks and HTTP/2's windows;
`web_call` holds the one of the other protocols. Begun by
`grpcwire.transport.http2_protocol` for each request that `router` finds to be gRPC.
"""

from abc import abstractmethod
from typing import Final, Protocol

from grpclib.const import Status
from grpclib.exceptions import StreamTerminatedError
from typing_extensions import override

from grpcwire.calls.call import ServerCall
from grpcwire.calls.envelope import PREFIX_BYTES, EnvelopeReader, pieces
from grpcwire.calls.metadata import MetadataLike, encode_metadata
from grpcwire.calls.server_transport import ServerTransport
from grpcwire.http.fields import Fields
from grpcwire.http2 import streams
from grpcwire.http2.errors import ErrorCode
from grpcwire.http2.hpack_encoder import encode_fields
from grpcwire.http2.sender import HeaderBlock
from grpcwire.http2.server_connection import ServerConnection
from grpcwire.protocols.grpc import OK_TRAILERS, GrpcRoute, status_fields

__all__ = ["GrpcCall", "Http2Transport"]

_OK: Final = status_fields(Status.OK)


class Http2Transport(ServerTransport, Protocol):
    """An HTTP/2 connection's transport, as its calls see it."""

    @property
    @abstractmethod
    def connection(self) -> ServerConnection:
        """The state of the connection."""


class GrpcCall(ServerCall):
    """A gRPC call under way."""

    __slots__ = ()

    _transport: Http2Transport
    _record: streams.Stream
    _route: GrpcRoute

    @override
    def _reader(self) -> EnvelopeReader:
        context = self._context
        return EnvelopeReader(
            context.limits.message_bytes, context.counters, gzipped=self._route.gzipped
        )

    @property
    @override
    def _has_unsent_data(self) -> bool:
        return self._record.unsent is not None

    @override
    def receive_data(self, data: bytes, window_bytes: int, *, ended: bool) -> None:
        if self._finished:
            return
        # A whole unary request in one piece skips the reader: proven equal by
        # `test_call.py::test_one_piece_equals_many`.
        if (
            ended
            and self._body is None
            and len(data) >= PREFIX_BYTES
            and int.from_bytes(data[:PREFIX_BYTES], "big") == len(data) - PREFIX_BYTES
            and len(data) - PREFIX_BYTES <= self._context.limits.message_bytes
        ):
            self._ended = True
            self._begin(data[PREFIX_BYTES:])
            return
        super().receive_data(data, window_bytes, ended=ended)

    @override
    def send_head(self, metadata: MetadataLike) -> None:
        custom = encode_metadata(metadata)
        if not self._finished:
            fields = self._route.heads.fields(compress=self._route.compress)
            block = encode_fields(fields + custom)
            self._head_sent = True
            self._transport.connection.send_headers(self._record, block)
            self._transport.flush_soon()

    @override
    async def send(self, message: bytes) -> None:
        if self._finished:
            raise StreamTerminatedError("the call is over")
        self._check_unsent(len(message))
        data = pieces(message, compress=self._route.compress)
        self._transport.connection.send_data(self._record, *data)
        self._transport.flush_soon()
        if self._has_unsent_data:
            await self._wait_until_sent()

    @override
    def finish(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
    ) -> None:
        if self._finished:
            return
        if self._record.state in streams.OVER:
            self._finished = True
            return
        bare = status is Status.OK and message is None and details is None and not metadata
        # Metadata that cannot be sent raises here, before anything of the end has gone out.
        trailers = _OK if bare else status_fields(status, message, details, metadata)
        self._finished = True
        self._transport.flush_soon()
        if status is Status.OK and self._reply is not None:
            data = pieces(self._reply, compress=self._route.compress)
            if bare and not self._head_sent and self._send_at_once(data):
                return
            self._send_reply(data)
        self._send_trailers(trailers)

    def _send_at_once(self, data: tuple[bytes, ...]) -> bool:
        """Send head, message and trailers as one piece; False, and nothing, where it is too large.

        The quick way of a unary call: equal to `_send_reply` and `_send_trailers`, proven by
        `test_sender.py::test_response_equals_its_three_parts`.
        """
        return len(data) == 1 and self._transport.connection.send_response(
            self._record, self._opening, data[0], OK_TRAILERS
        )

    def _send_reply(self, data: tuple[bytes, ...]) -> None:
        """Send the only message, behind the head where that has not gone out."""
        connection = self._transport.connection
        if not self._head_sent:
            connection.send_headers(self._record, self._opening.block)
            self._head_sent = True
        connection.send_data(self._record, *data)

    def _send_trailers(self, trailers: Fields) -> None:
        """Send the status: in the trailers, or in the head where nothing has gone out."""
        connection = self._transport.connection
        if self._head_sent:
            connection.send_trailers(self._record, encode_fields(trailers))
        else:
            fields = self._route.heads.fields(compress=False) + trailers
            connection.send_headers_only(self._record, encode_fields(fields))

    @property
    def _opening(self) -> HeaderBlock:
        """The header block that opens a response without metadata."""
        heads = self._route.heads
        return heads.gzip if self._route.compress else heads.plain

    @override
    def abort(self) -> None:
        self._finished = True
        self._transport.connection.reset(self._record, ErrorCode.CANCEL)
        self._transport.flush_soon()
