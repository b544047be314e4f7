"""gRPC-Web (PROTOCOL-WEB of the gRPC project): gRPC's envelopes, trailers in the body.

The trailers are the payload of one more envelope, whose byte of flags has its highest
bit set. A call that fails before anything was sent has its status in the headers
alone. In the text mode everything is base64, each piece padded for itself.
"""

from base64 import b64encode
from typing import Final

from grpclib.const import Status
from typing_extensions import override

from grpcwire.calls.envelope import PREFIX, EnvelopeReader
from grpcwire.calls.metadata import MetadataLike
from grpcwire.counters import Counters
from grpcwire.http.fields import Fields
from grpcwire.http.response import Response
from grpcwire.protocols.grpc import status_fields
from grpcwire.protocols.readers import TextReader
from grpcwire.protocols.web_protocol import EnvelopedProtocol

__all__ = ["GrpcWeb", "GrpcWebText"]

_TRAILERS: Final = 0x80
"""The flag of the envelope that holds the trailers."""


class GrpcWeb(EnvelopedProtocol):
    """`application/grpc-web`, `+proto`, `+json`."""

    encoding_field = b"grpc-encoding"

    @override
    def reader(
        self, limit: int, counters: Counters, *, gzipped: bool
    ) -> EnvelopeReader | TextReader:
        return EnvelopeReader(limit, counters, gzipped=gzipped)

    @override
    def closing(
        self, status: Status, message: str | None, details: bytes | None, metadata: MetadataLike
    ) -> bytes:
        """The envelope of the trailers."""
        fields = status_fields(status, message, details, metadata)
        text = b"".join(b"%s: %s\r\n" % field for field in fields)
        return PREFIX.pack(_TRAILERS, len(text)) + text

    @override
    def status_alone(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
        initial: Fields | None = None,
    ) -> Response:
        """The trailers as headers, and no body."""
        fields = self.head(initial or [], compress=False)
        return Response(200, fields + status_fields(status, message, details, metadata))


class GrpcWebText(GrpcWeb):
    """`application/grpc-web-text`, `+proto`, `+json`."""

    @override
    def reader(self, limit: int, counters: Counters, *, gzipped: bool) -> TextReader:
        return TextReader(EnvelopeReader(limit, counters, gzipped=gzipped))

    @override
    def sealed(self, message: bytes, *, compress: bool) -> bytes:
        return b64encode(super().sealed(message, compress=compress))

    @override
    def closing(
        self, status: Status, message: str | None, details: bytes | None, metadata: MetadataLike
    ) -> bytes:
        return b64encode(super().closing(status, message, details, metadata))
