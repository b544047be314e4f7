"""A gRPC call on an HTTP/2 stream: messages in envelopes, the status in the trailers.

The wire half of a `ServerCall`, with gRPC's header blocks and HTTP/2's windows. What
other protocols do instead stands in `web.call`.
"""

from typing import Final, Protocol

from grpclib.const import Status
from grpclib.exceptions import StreamTerminatedError

from grpcwire.call import ServerCall
from grpcwire.envelope import PREFIX_BYTES, EnvelopeReader, pieces
from grpcwire.grpc import GrpcMeaning, status_fields
from grpcwire.host import Host
from grpcwire.http2 import streams
from grpcwire.http2.connection import Connection
from grpcwire.http2.errors import ErrorCode
from grpcwire.http2.hpack_encoder import encode_fields
from grpcwire.metadata import MetadataLike, encode_metadata

_OK: Final = status_fields(Status.OK)


class Http2Host(Host, Protocol):
    """An HTTP/2 connection's transport, as its calls see it."""

    connection: Connection


class GrpcCall(ServerCall):
    """A gRPC call under way."""

    __slots__ = ()

    _host: Http2Host
    _wire: streams.Stream
    _meaning: GrpcMeaning

    def _reader(self) -> EnvelopeReader:
        engine = self._engine
        return EnvelopeReader(
            engine.limits.message_bytes, engine.counters, gzipped=self._meaning.gzipped
        )

    @property
    def _half_sent(self) -> bool:
        return self._wire.unsent is not None

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
            and len(data) - PREFIX_BYTES <= self._engine.limits.message_bytes
        ):
            self._ended = True
            self._begin(data[PREFIX_BYTES:])
            return
        super().receive_data(data, charged, ended=ended)

    def send_head(self, metadata: MetadataLike) -> None:
        """Open the response."""
        custom = encode_metadata(metadata)
        if not self._finished:
            fields = self._meaning.heads.fields(compress=self._meaning.compress)
            block = encode_fields(fields + custom)
            self._head_sent = True
            self._host.connection.sender.headers(self._wire, block, end=False)
            self._host.flush_soon()

    async def send(self, message: bytes) -> None:
        """Send one message of a stream; returns when the peer has room for more."""
        if self._finished:
            raise StreamTerminatedError("the call is over")
        self._check_unsent(len(message))
        data = pieces(message, compress=self._meaning.compress)
        self._host.connection.sender.data(self._wire, *data)
        self._host.flush_soon()
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
        if self._wire.state in streams.OVER:
            self._finished = True
            return
        bare = status is Status.OK and message is None and details is None and not metadata
        trailers = _OK if bare else status_fields(status, message, details, metadata)
        self._finished = True
        self._host.flush_soon()
        connection, wire = self._host.connection, self._wire
        if status is Status.OK and self._reply is not None:
            data = pieces(self._reply, compress=self._meaning.compress)
            heads = self._meaning.heads
            head = heads.gzip if self._meaning.compress else heads.plain
            if (
                bare
                and not self._head_sent
                and len(data) == 1
                and connection.answer(wire, head, data[0], self._engine.interpreter.ok)
            ):
                return
            if not self._head_sent:
                connection.sender.headers(wire, head.block, end=False)
                self._head_sent = True
            connection.sender.data(wire, *data)
        if self._head_sent:
            connection.send_trailers(wire, encode_fields(trailers))
        else:
            fields = self._meaning.heads.fields(compress=False) + trailers
            connection.send_headers_only(wire, encode_fields(fields))

    def abort(self) -> None:
        """End the call by RST_STREAM."""
        self._finished = True
        self._host.connection.reset(self._wire, ErrorCode.CANCEL)
        self._host.flush_soon()
