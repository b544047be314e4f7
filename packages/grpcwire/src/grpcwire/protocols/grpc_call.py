"""A gRPC call on an HTTP/2 stream: messages in envelopes, the status in the trailers.

The wire half of a `ServerCall`, with gRPC's header blocks and HTTP/2's windows. What
other protocols do instead stands in `web.call`.
"""

from typing import Final, Protocol

from grpclib.const import Status
from grpclib.exceptions import StreamTerminatedError

from grpcwire.calls.call import ServerCall
from grpcwire.calls.envelope import PREFIX_BYTES, EnvelopeReader, pieces
from grpcwire.calls.metadata import MetadataLike, encode_metadata
from grpcwire.calls.server_transport import ServerTransport
from grpcwire.http2 import streams
from grpcwire.http2.errors import ErrorCode
from grpcwire.http2.hpack_encoder import encode_fields
from grpcwire.http2.server_connection import ServerConnection
from grpcwire.protocols.grpc import OK_TRAILERS, GrpcRoute, status_fields

_OK: Final = status_fields(Status.OK)


class Http2Transport(ServerTransport, Protocol):
    """An HTTP/2 connection's transport, as its calls see it."""

    connection: ServerConnection


class GrpcCall(ServerCall):
    """A gRPC call under way."""

    __slots__ = ()

    _transport: Http2Transport
    _record: streams.Stream
    _route: GrpcRoute

    def _reader(self) -> EnvelopeReader:
        context = self._context
        return EnvelopeReader(
            context.limits.message_bytes, context.counters, gzipped=self._route.gzipped
        )

    @property
    def _half_sent(self) -> bool:
        return self._record.unsent is not None

    def receive_data(self, data: bytes, charged: int, *, ended: bool) -> None:
        """Take a piece of the request's body."""
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
        super().receive_data(data, charged, ended=ended)

    def send_head(self, metadata: MetadataLike) -> None:
        """Open the response."""
        custom = encode_metadata(metadata)
        if not self._finished:
            fields = self._route.heads.fields(compress=self._route.compress)
            block = encode_fields(fields + custom)
            self._head_sent = True
            self._transport.connection.send_headers(self._record, block)
            self._transport.flush_soon()

    async def send(self, message: bytes) -> None:
        """Send one message of a stream; returns when the peer has room for more."""
        if self._finished:
            raise StreamTerminatedError("the call is over")
        self._check_unsent(len(message))
        data = pieces(message, compress=self._route.compress)
        self._transport.connection.send_data(self._record, *data)
        self._transport.flush_soon()
        if self._half_sent:
            await self._let_out()

    def finish(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
    ) -> None:
        """End the response; nothing where it is over already."""
        if self._finished:
            return
        if self._record.state in streams.OVER:
            self._finished = True
            return
        bare = status is Status.OK and message is None and details is None and not metadata
        trailers = _OK if bare else status_fields(status, message, details, metadata)
        self._finished = True
        self._transport.flush_soon()
        connection, record = self._transport.connection, self._record
        if status is Status.OK and self._reply is not None:
            data = pieces(self._reply, compress=self._route.compress)
            heads = self._route.heads
            head = heads.gzip if self._route.compress else heads.plain
            if (
                bare
                and not self._head_sent
                and len(data) == 1
                and connection.send_response(record, head, data[0], OK_TRAILERS)
            ):
                return
            if not self._head_sent:
                connection.send_headers(record, head.block)
                self._head_sent = True
            connection.send_data(record, *data)
        if self._head_sent:
            connection.send_trailers(record, encode_fields(trailers))
        else:
            fields = self._route.heads.fields(compress=False) + trailers
            connection.send_headers_only(record, encode_fields(fields))

    def abort(self) -> None:
        """End the call by RST_STREAM."""
        self._finished = True
        self._transport.connection.reset(self._record, ErrorCode.CANCEL)
        self._transport.flush_soon()
