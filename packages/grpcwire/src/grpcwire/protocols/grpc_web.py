"""gRPC-Web (PROTOCOL-WEB of the gRPC project): gRPC's envelopes, trailers in the body.

The trailers are the payload of one more envelope, whose flag octet has its highest
bit set. A call that fails before anything was sent says its status in the headers
alone. In the text mode everything is base64, each piece padded for itself.
"""

from base64 import b64encode
from typing import Final

from grpclib.const import Status

from grpcwire.calls.envelope import PREFIX, EnvelopeReader
from grpcwire.calls.metadata import MetadataLike
from grpcwire.counters import Counters
from grpcwire.http.fields import Fields
from grpcwire.http.response import Response
from grpcwire.protocols.grpc import status_fields
from grpcwire.protocols.readers import TextReader
from grpcwire.protocols.web_protocol import EnvelopedProtocol

_TRAILERS: Final = 0x80


class GrpcWeb(EnvelopedProtocol):
    """`application/grpc-web`, `+proto`, `+json`."""

    def reader(
        self, limit: int, counters: Counters, *, gzipped: bool
    ) -> EnvelopeReader | TextReader:
        """Messages in envelopes."""
        return EnvelopeReader(limit, counters, gzipped=gzipped)

    def head(self, initial: Fields, *, compress: bool) -> Fields:
        """Content type and encoding."""
        fields = [(b"content-type", self.content_type)]
        if compress:
            fields.append((b"grpc-encoding", b"gzip"))
        return fields + initial

    def closing(
        self, status: Status, message: str | None, details: bytes | None, metadata: MetadataLike
    ) -> bytes:
        """The envelope of the trailers."""
        fields = status_fields(status, message, details, metadata)
        text = b"".join(b"%s: %s\r\n" % field for field in fields)
        return PREFIX.pack(_TRAILERS, len(text)) + text

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

    def reader(self, limit: int, counters: Counters, *, gzipped: bool) -> TextReader:
        """Messages in envelopes in base64."""
        return TextReader(EnvelopeReader(limit, counters, gzipped=gzipped))

    def sealed(self, message: bytes, *, compress: bool) -> bytes:
        """A message as it goes out."""
        return b64encode(super().sealed(message, compress=compress))

    def closing(
        self, status: Status, message: str | None, details: bytes | None, metadata: MetadataLike
    ) -> bytes:
        """The envelope of the trailers."""
        return b64encode(super().closing(status, message, details, metadata))
