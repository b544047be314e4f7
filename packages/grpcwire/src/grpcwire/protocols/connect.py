"""The Connect protocol (connectrpc.com/docs/protocol): unary, GET and streaming.

A unary call is an ordinary HTTP exchange: the message is the body, the status is
HTTP's with a JSON error, trailers are headers with a prefix. A stream is envelopes,
the last of which is JSON and holds status and trailers.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from grpclib.const import Status
from grpclib.encoding.base import CodecBase

from grpcwire.calls.envelope import PREFIX, WORTH_COMPRESSING_BYTES, EnvelopeReader, pack
from grpcwire.calls.metadata import MetadataLike, decode_binary, encode_metadata
from grpcwire.counters import Counters
from grpcwire.http.fields import Fields
from grpcwire.http.response import Response
from grpcwire.protocols.connect_errors import end_of_stream, error_object, http_status, json_text
from grpcwire.protocols.readers import BareReader
from grpcwire.protocols.web_protocol import BareProtocol, EnvelopedProtocol

_JSON: Final = (b"content-type", b"application/json")
_TIMEOUT: Final = re.compile(rb"[0-9]{1,10}")
_END_OF_STREAM: Final = 2
# The URL-safe alphabet of base64 (RFC 4648, section 5) to the usual one.
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


class ConnectUnary(BareProtocol):
    """`application/proto`, `application/json`."""

    def __init__(self, codec: CodecBase, content_type: str) -> None:
        super().__init__(codec, content_type)
        self._type_field = (b"content-type", self.content_type)

    def reader(self, limit: int, counters: Counters, *, gzipped: bool) -> BareReader:
        """The body is the message."""
        return BareReader(limit, counters, gzipped=gzipped)

    def reply(
        self, message: bytes, initial: Fields, metadata: MetadataLike, *, compress: bool
    ) -> Response:
        """The message as the body, trailers among the headers."""
        fields: Fields = [self._type_field]
        if initial or metadata:
            fields += [*initial, *_trailers(metadata)]
        if compress and len(message) >= WORTH_COMPRESSING_BYTES:
            fields.append((b"content-encoding", b"gzip"))
            message = pack(message)
        return Response(200, fields, message)

    def status_alone(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
        initial: Fields | None = None,
    ) -> Response:
        """The Error as JSON, with the HTTP status that fits."""
        fields = [_JSON, *(initial or ()), *_trailers(metadata)]
        body = json_text(error_object(status, message, details))
        return Response(http_status(status), fields, body)


class ConnectStream(EnvelopedProtocol):
    """`application/connect+proto`, `application/connect+json`."""

    def reader(self, limit: int, counters: Counters, *, gzipped: bool) -> EnvelopeReader:
        """Messages in envelopes."""
        return EnvelopeReader(limit, counters, gzipped=gzipped)

    def head(self, initial: Fields, *, compress: bool) -> Fields:
        """Content type and encoding."""
        fields = [(b"content-type", self.content_type)]
        if compress:
            fields.append((b"connect-content-encoding", b"gzip"))
        return fields + initial

    def closing(
        self, status: Status, message: str | None, details: bytes | None, metadata: MetadataLike
    ) -> bytes:
        """The EndStreamResponse."""
        text = end_of_stream(status, message, details, metadata)
        return PREFIX.pack(_END_OF_STREAM, len(text)) + text

    def status_alone(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
        initial: Fields | None = None,
    ) -> Response:
        """A stream of no message."""
        fields = self.head(initial or [], compress=False)
        return Response(200, fields, self.closing(status, message, details, metadata))


def timeout(value: bytes | None) -> float | None:
    """Seconds of a `connect-timeout-ms`; raises ValueError for anything but digits."""
    if value is None:
        return None
    if not _TIMEOUT.fullmatch(value):
        raise ValueError("Invalid connect-timeout-ms header")
    return int(value) / 1000


def query_parameters(query: bytes) -> dict[bytes, bytes]:
    """The parameters of a GET request; of one that repeats, the first."""
    parameters: dict[bytes, bytes] = {}
    for each in query.split(b"&"):
        name, _, value = each.partition(b"=")
        if name:
            parameters.setdefault(_unquoted(name), _unquoted(value))
    return parameters


def query_message(parameters: dict[bytes, bytes]) -> bytes:
    """The message of a GET request; raises ValueError where there is none."""
    message = parameters.get(b"message")
    if message is None:
        raise ValueError("Missing message parameter")
    if parameters.get(b"base64") != b"1":
        return message
    return decode_binary(message.translate(_URL_SAFE))


def _unquoted(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _trailers(metadata: MetadataLike) -> Fields:
    return [(b"trailer-" + name, value) for name, value in encode_metadata(metadata)]
