"""gRPC over HTTP/2 as header lists: what a request's head asks for, how answers look.

`GrpcRouter` turns a checked head into a `GrpcRoute` (which method, which deadline,
which encodings) or a `TrailersOnly` (the answer to a head that no handler should see).
Both derive from the head alone, so they are kept with it and made once for all
calls that repeat it. The functions below build the header blocks of answers.
Nothing here knows calls, tasks or connections.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from grpclib.const import Handler, Status
from grpclib.encoding.base import CodecBase

from grpcwire.calls.metadata import (
    MetadataLike,
    decode_metadata,
    decode_timeout,
    encode_binary,
    encode_message,
    encode_metadata,
)
from grpcwire.calls.route import Route
from grpcwire.http.fields import Fields
from grpcwire.http.request_head import RequestHead
from grpcwire.http.response import Response, text_response
from grpcwire.http2.hpack_encoder import encode_fields
from grpcwire.http2.sender import HeaderBlock

CONTENT_TYPE: Final = "application/grpc"
_POST: Final = b"POST"
_ENCODINGS: Final = (b"identity", b"gzip")


class Heads:
    """The header blocks that open the responses of one content type."""

    __slots__ = ("_content_type", "gzip", "plain")

    def __init__(self, subtype: str) -> None:
        self._content_type = f"{CONTENT_TYPE}+{subtype}".encode("ascii")
        self.plain = HeaderBlock(encode_fields(self.fields(compress=False)))
        self.gzip = HeaderBlock(encode_fields(self.fields(compress=True)))

    def fields(self, *, compress: bool) -> Fields:
        """The fields that open a response."""
        fields = [(b":status", b"200"), (b"content-type", self._content_type)]
        if compress:
            fields.append((b"grpc-encoding", b"gzip"))
        return fields


@dataclass(slots=True, kw_only=True)
class GrpcRoute(Route):
    """What a head asks for that asks for a gRPC call."""

    heads: Heads


@dataclass(slots=True)
class TrailersOnly:
    """The answer to a gRPC head that leads to no handler, sent at once."""

    block: bytes


class GrpcRouter:
    """Heads to meanings, for one set of handlers and their codecs."""

    def __init__(self, handlers: Mapping[str, Handler], codecs: Mapping[str, CodecBase]) -> None:
        """`codecs` by content subtype, what follows the plus sign; the first answers refusals."""
        self._handlers = handlers
        self._by_content_type: dict[bytes, tuple[CodecBase, Heads]] = {}
        for subtype, codec in codecs.items():
            entry = (codec, Heads(subtype))
            self._by_content_type[f"{CONTENT_TYPE}+{subtype}".encode("ascii")] = entry
            if subtype == "proto":
                self._by_content_type[CONTENT_TYPE.encode("ascii")] = entry
        self._heads = next(iter(self._by_content_type.values()))[1]

    def trailers_only(self, status: Status, message: str, extra: Fields | None = None) -> bytes:
        """A response without a body, on HTTP's side a success."""
        fields = self._heads.fields(compress=False) + status_fields(status, message)
        return encode_fields(fields + (extra or []))

    def route(self, head: RequestHead) -> GrpcRoute | TrailersOnly | Response:
        """What a checked head means here."""
        if head.method != _POST:
            text = "gRPC calls are POST requests"
            return text_response(HTTPStatus.METHOD_NOT_ALLOWED, text, (b"allow", b"POST"))
        fields = dict(head.fields)
        content_type = fields.get(b"content-type", b"").partition(b";")[0].strip()
        codec_and_heads = self._by_content_type.get(content_type)
        if codec_and_heads is None:
            named = "Unacceptable" if content_type else "Missing"
            return _no_grpc(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{named} content-type header")
        if b"te" not in fields:
            return _no_grpc(HTTPStatus.BAD_REQUEST, 'Required "te: trailers" header is missing')
        path = head.path.decode("latin-1")
        handler = self._handlers.get(path)
        if handler is None:
            return TrailersOnly(self.trailers_only(Status.UNIMPLEMENTED, "Method not found"))
        return self._route(head, fields, handler, *codec_and_heads)

    def _route(
        self,
        head: RequestHead,
        fields: dict[bytes, bytes],
        handler: Handler,
        codec: CodecBase,
        heads: Heads,
    ) -> GrpcRoute | TrailersOnly:
        timeout = fields.get(b"grpc-timeout")
        try:
            timeout_s = None if timeout is None else decode_timeout(timeout)
        except ValueError:
            return TrailersOnly(self.trailers_only(Status.UNKNOWN, "Invalid grpc-timeout header"))
        try:
            metadata = decode_metadata(head.fields)
        except ValueError:
            return TrailersOnly(self.trailers_only(Status.INTERNAL, "Malformed binary metadata"))
        encoding = fields.get(b"grpc-encoding", b"identity")
        if encoding not in _ENCODINGS:
            known = [(b"grpc-accept-encoding", b",".join(_ENCODINGS))]
            text = "Unknown grpc-encoding"
            return TrailersOnly(self.trailers_only(Status.UNIMPLEMENTED, text, known))
        gzipped = encoding == b"gzip"
        accepted = fields.get(b"grpc-accept-encoding", b"").replace(b" ", b"").split(b",")
        agent = fields.get(b"user-agent")
        return GrpcRoute(
            path=head.path.decode("latin-1"),
            handler=handler,
            codec=codec,
            content_type=fields[b"content-type"].decode("latin-1"),
            timeout_s=timeout_s,
            metadata=metadata,
            user_agent=None if agent is None else agent.decode("latin-1"),
            gzipped=gzipped,
            compress=gzipped and b"gzip" in accepted,
            heads=heads,
        )


def status_fields(
    status: Status,
    message: str | None = None,
    details: bytes | None = None,
    metadata: MetadataLike = (),
) -> Fields:
    """The trailers that end every response."""
    fields = [(b"grpc-status", b"%d" % status.value)]
    if message is not None:
        fields.append((b"grpc-message", encode_message(message)))
    if details is not None:
        fields.append((b"grpc-status-details-bin", encode_binary(details)))
    return fields + encode_metadata(metadata) if metadata else fields


def _no_grpc(http_status: HTTPStatus, message: str) -> Response:
    """An answer to what is no gRPC request, which HTTP must say too."""
    return text_response(http_status, message, *status_fields(Status.UNKNOWN, message))


OK_TRAILERS: Final = HeaderBlock(encode_fields(status_fields(Status.OK)))
"""The trailers of a call that ends well and says nothing more."""
